package import HelixModel

/// What a resource sees while it works out its difference; it remembers every fact that was read.
package struct Sight: Sendable {
  package let observation: Observation
  package let fingerprints: any Fingerprinter
  private var relied: Set<Reliance> = []
  private var views: [ObjectIdentifier: View] = [:]
  /// What was read of the latest host: its resources come one after the other and share facts.
  private var readings: [FactID: Reading] = [:]
  private var readingsHost: HostName?

  private struct Reading: Sendable {
    let value: any Sendable
    let reliance: Reliance
  }

  private struct View: Sendable {
    let result: Result<any Sendable, Diagnostic>
    let relied: Set<Reliance>
  }

  package init(observation: Observation, fingerprints: any Fingerprinter) {
    self.observation = observation
    self.fingerprints = fingerprints
  }

  /// Whether a host answered.
  package func reaches(_ host: HostName) -> Bool { observation.silence(of: host) == nil }

  /// The value of a fact, which the resource from now on relies on.
  ///
  /// - Throws: the host's silence, or the parser's complaint placed at the host.
  package mutating func read<Value>(
    _ fact: Fact<Value>, on host: HostName
  ) throws(Diagnostic) -> Value {
    if host == readingsHost, let reading = readings[fact.request.id],
      let value = reading.value as? Value
    {
      relied.insert(reading.reliance)
      return value
    }
    guard let answer = observation.answer(fact.request.id, on: host) else {
      throw observation.silence(of: host)
        ?? Diagnostic(
          "\(host) was not asked for \(fact.request.id)",
          reason: "the resource reads a fact that it did not list",
          at: .host(host, address: nil))
    }
    do {
      let value = try fact.parse(answer)
      let reliance = Reliance(host: host, fact: fact.request.id, summary: fact.summary(value))
      relied.insert(reliance)
      remember(Reading(value: value, reliance: reliance), on: host)
      return value
    } catch {
      var placed = error
      placed.place = placed.place ?? .host(host, address: nil)
      throw placed
    }
  }

  /// What the age identities were shown to open, which the resource from now on relies on.
  ///
  /// - Throws: a `Diagnostic` when nothing was shown.
  package mutating func identityProof() throws(Diagnostic) -> IdentityProof {
    guard let proof = observation.identities else {
      throw Diagnostic(
        "nothing was shown of the age identities",
        reason: "the resource relies on a proof that it did not ask for")
    }
    relied.insert(
      Reliance(
        host: .controller, fact: "age-identities",
        summary: "\(proof.recipients.joined(separator: " ")), opens \(proof.files)"))
    return proof
  }

  private mutating func remember(_ reading: Reading, on host: HostName) {
    if host != readingsHost {
      readingsHost = host
      readings.removeAll(keepingCapacity: true)
    }
    readings[reading.reliance.fact] = reading
  }

  /// A view of many hosts that resources share; made once, however many ask.
  package mutating func shared<Shared: Sendable>(
    _ type: Shared.Type, make: (inout Sight) throws(Diagnostic) -> Shared
  ) throws(Diagnostic) -> Shared {
    let id = ObjectIdentifier(type)
    let view: View
    if let known = views[id] {
      view = known
    } else {
      var inner = self
      inner.relied = []
      do throws(Diagnostic) {
        view = View(result: .success(try make(&inner)), relied: inner.relied)
      } catch {
        view = View(result: .failure(error), relied: inner.relied)
      }
      views[id] = view
    }
    relied.formUnion(view.relied)
    guard let value = try view.result.get() as? Shared else {
      throw Diagnostic("two shared views have one type: \(type)")
    }
    return value
  }

  /// What was read since the last call, in order.
  mutating func takeReliances() -> [Reliance] {
    defer { relied.removeAll(keepingCapacity: true) }
    return relied.sorted()
  }
}
