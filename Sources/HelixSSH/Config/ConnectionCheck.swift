package import HelixModel

/// Says before anything is asked what the SSH room cannot do.
package enum ConnectionCheck {
  /// All that is wrong with how hosts are to be reached, in their arguments and in ssh's own
  /// configuration; each mistake once, however many hosts share it.
  package static func problems(
    of hosts: [Host], local: LocalUser = .current
  ) -> [Diagnostic] {
    let files = ConfigFiles()
    var problems: [Diagnostic] = []
    var seen: Set<Diagnostic> = []
    for host in hosts {
      do throws(Diagnostics) {
        _ = try SSHSettings(host, local: local, policy: .strict, files: files)
      } catch {
        problems += error.all.filter { seen.insert($0).inserted }
      }
    }
    return problems
  }
}
