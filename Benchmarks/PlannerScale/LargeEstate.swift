import Foundation
import HelixModel
import HelixPlan
import HelixSecrets

/// An inventory of any size over this repository's playbooks, and the answers its hosts would give:
/// those of one recorded server and one recorded agent, with each host's own name and identity.
struct LargeEstate: SourceReader {
  private let agents: Int
  private let recorded: Observation
  private let playbooks: String

  private static let servers = 3

  init(hosts: Int, recorded: Observation, playbooks: String) {
    agents = hosts - Self.servers
    self.recorded = recorded
    self.playbooks = playbooks
  }

  var fingerprints: KeyedFingerprinter {
    KeyedFingerprinter(key: SecretValue("benchmark"), secrets: OneSecret())
  }

  var observation: Observation {
    var answers: [HostName: Observation.HostAnswers] = [:]
    for number in 1...Self.servers {
      answers[HostName("master-\(number)")] = told("master-1", as: "master-\(number)", number)
    }
    for number in 1...agents {
      answers[HostName("worker-\(number)")] = told("worker-1", as: "worker-\(number)", 3 + number)
    }
    answers[.controller] = recorded.hosts[.controller]
    return Observation(hosts: answers, checksums: recorded.checksums)
  }

  /// A recorded host's answers under another name, address and machine-id.
  private func told(_ host: HostName, as name: String, _ number: Int) -> Observation.HostAnswers? {
    guard case .answered(let answers) = recorded.hosts[host] else { return recorded.hosts[host] }
    let machine = answers[FactID("k3s-machine")]?.output ?? ""
    let id =
      machine.split(separator: "\n").first { $0.hasPrefix("machine-id ") }
      .map { $0.dropFirst("machine-id ".count) } ?? ""
    let hex = String(number, radix: 16)
    let ownID = String(repeating: "0", count: 32 - hex.count) + hex
    return .answered(
      answers.mapValues { answer in
        var output = answer.output.replacing(host.rawValue, with: name)
        if !id.isEmpty { output = output.replacing(id, with: ownID) }
        return FactAnswer(status: answer.status, output: output)
      })
  }

  func text(of path: String) throws(Diagnostic) -> String? {
    switch path {
    case "inventory/hosts.yaml": hosts
    case "inventory/cluster.yaml": cluster
    default:
      try? String(
        contentsOfFile: path.replacing("playbooks/", with: "\(playbooks)/", maxReplacements: 1),
        encoding: .utf8)
    }
  }

  func names(in folder: String) -> [String]? {
    switch folder {
    case "inventory": ["cluster.yaml", "hosts.yaml"]
    case _ where folder.hasPrefix("playbooks"):
      try? FileManager.default.contentsOfDirectory(
        atPath: folder.replacing("playbooks", with: playbooks, maxReplacements: 1)
      ).sorted()
    default: nil
    }
  }

  private var hosts: String {
    var text =
      "all:\n  children:\n    k3s_cluster:\n      children:\n        master:\n          hosts:\n"
    for number in 1...Self.servers {
      text += "            master-\(number): { ansible_host: \(address(number)) }\n"
    }
    text += "        worker:\n          hosts:\n"
    for number in 1...agents {
      text += "            worker-\(number): { ansible_host: \(address(3 + number)) }\n"
    }
    return text
  }

  /// The servers' as recorded, the agents' in networks of their own.
  private func address(_ number: Int) -> String {
    number <= Self.servers
      ? "10.77.0.\(10 + number)"
      : "10.\(80 + number / 62_500).\(number / 250 % 250).\(number % 250 + 1)"
  }

  private let cluster = """
    cluster: helix
    k3s:
      version: v1.29.1+k3s2
      servers: master
      agents: worker
      endpoint: 10.77.0.10
      token: { secret: k3s-token }
    """
}

/// Any secret has the same value here.
private struct OneSecret: SecretStore {
  func value(of name: SecretName) throws -> SecretValue { SecretValue("benchmark") }
}
