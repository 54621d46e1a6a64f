import Foundation
import HelixKinds
import HelixModel
import HelixPlan

/// What hosts said of themselves, as `facts` tells it to people and programs.
struct FactsReport {
  /// What is known of one host.
  enum Entry {
    case known(HostFacts)
    case unreachable(Diagnostic)
  }

  /// In the order in which the hosts were named.
  let entries: [(host: HostName, entry: Entry)]
  /// Why answers that came could not be read.
  private(set) var unread: [Diagnostic] = []

  init(_ observation: Observation, of hosts: [HostName]) {
    var unread: [Diagnostic] = []
    entries = hosts.map { host in
      do throws(Diagnostic) {
        guard case .answered(let answers)? = observation.hosts[host] else {
          throw observation.silence(of: host) ?? Diagnostic("\(host) was not asked")
        }
        do throws(Diagnostic) {
          return (host, .known(try HostFacts(answers)))
        } catch {
          var placed = error
          placed.place = placed.place ?? .host(host, address: nil)
          unread.append(placed)
          throw placed
        }
      } catch {
        return (host, .unreachable(error))
      }
    }
    self.unread = unread
  }

  /// Whether every host has told its facts.
  var isWhole: Bool {
    entries.allSatisfy { if case .known = $0.entry { true } else { false } }
  }
}

extension FactsReport: Encodable {
  private enum Key: String, CodingKey { case format, version, hosts }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    try container.encode("helix-infra/facts", forKey: .format)
    try container.encode(1, forKey: .version)
    let hosts = entries.map { ($0.host.rawValue, $0.entry) }
    try container.encode(
      Dictionary(hosts, uniquingKeysWith: { first, _ in first }), forKey: .hosts)
  }
}

extension FactsReport.Entry: Encodable {
  private enum Key: String, CodingKey { case unreachable }

  func encode(to encoder: any Encoder) throws {
    switch self {
    case .known(let facts): try facts.encode(to: encoder)
    case .unreachable(let diagnostic):
      var container = encoder.container(keyedBy: Key.self)
      try container.encode(diagnostic, forKey: .unreachable)
    }
  }
}
