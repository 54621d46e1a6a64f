import HelixModel

// MARK: - A node's certificates, clock, disk and the rest

extension StatusJudgement {
  /// What may stop a node that takes part, or will.
  func health(_ node: StatusReport.Node) -> [Diagnostic] {
    [certificate(node), clock(node)].compactMap(\.self)
  }

  /// What is worth knowing and stops nothing.
  func oddities(_ node: StatusReport.Node) -> [Diagnostic] {
    [
      slowDisk(node), fullDisk(node), database(node), cordon(node), pressure(node), binary(node),
      restarts(node),
    ].compactMap(\.self)
  }

  private func certificate(_ node: StatusReport.Node) -> Diagnostic? {
    guard let certificate = node.certificate, certificate.days < StatusReport.shortestCertificate
    else {
      return nil
    }
    let isCA = certificate.file.hasSuffix("-ca.crt")
    let days = abs(certificate.days)
    let span = "\(days) \(days == 1 ? "day" : "days")"
    return Diagnostic(
      certificate.days < 0
        ? "a certificate of \(node.name) has ended"
        : "a certificate of \(node.name) ends in \(span)",
      reason: certificate.days < 0
        ? "\(certificate.file) ended up to \(span) ago"
        : "\(certificate.file) ends before all others",
      remedy: isCA
        ? "k3s certificate rotate-ca; k3s does not renew its CAs by itself"
        : "restart k3s there: when it starts it renews what ends within 90 days",
      severity: certificate.days < 0 ? .error : .warning)
  }

  private func clock(_ node: StatusReport.Node) -> Diagnostic? {
    guard let offset = node.clockOffset.map({ $0 - (report.clockReference ?? 0) }),
      abs(offset) > StatusReport.oddClock
    else {
      return nil
    }
    return Diagnostic(
      "the clock of \(node.name) is \(abs(offset)) s \(offset > 0 ? "ahead" : "behind")",
      reason: "certificates, leases and etcd go by it",
      remedy: "let it keep time: systemd-timesyncd or chrony",
      severity: abs(offset) > StatusReport.clockTolerance ? .error : .warning)
  }

  private func slowDisk(_ node: StatusReport.Node) -> Diagnostic? {
    guard let fsync = node.etcd?.fsync99Milliseconds, fsync > StatusReport.slowestDisk else {
      return nil
    }
    return Diagnostic(
      "the disk of \(node.name) is slow for etcd",
      reason: "one write of the log in a hundred takes more than \(fsync) ms since etcd started",
      remedy: "put /var/lib/rancher on a disk of its own, no SD card", severity: .warning)
  }

  private func fullDisk(_ node: StatusReport.Node) -> Diagnostic? {
    guard let disk = node.disk, disk.isShort else { return nil }
    return Diagnostic(
      "little room on \(node.name): \(disk.free >> 20) MiB are free for k3s",
      reason: "the kubelet puts pods out when its disk is full, and etcd stops",
      remedy: "free space in /var/lib/rancher, or give it more", severity: .warning)
  }

  private func database(_ node: StatusReport.Node) -> Diagnostic? {
    guard let etcd = node.etcd, let size = etcd.databaseBytes, let quota = etcd.quotaBytes,
      quota > 0, size / 4 >= quota / 5
    else { return nil }
    return Diagnostic(
      "etcd's database on \(node.name) is nearly full",
      reason: "\(size >> 20) of \(quota >> 20) MiB; beyond that it takes no writes",
      remedy: "find what fills it, or raise quota-backend-bytes in etcd-arg", severity: .warning)
  }

  private func cordon(_ node: StatusReport.Node) -> Diagnostic? {
    guard node.cordoned else { return nil }
    return Diagnostic(
      "\(node.name) is cordoned", reason: "by \(node.cordonedBy ?? "nobody who left a note")",
      remedy: "k3s kubectl uncordon \(node.name), when nothing works on it any more",
      severity: .warning)
  }

  private func pressure(_ node: StatusReport.Node) -> Diagnostic? {
    guard !node.pressures.isEmpty else { return nil }
    return Diagnostic(
      "\(node.name) has \(node.pressures.joined(separator: ", "))",
      reason: "new pods do not go there, and some may be put out",
      remedy: "helix-infra facts \(node.name)", severity: .warning)
  }

  private func binary(_ node: StatusReport.Node) -> Diagnostic? {
    guard let running = node.version, let installed = node.installed, running != installed else {
      return nil
    }
    return Diagnostic(
      "\(node.name) runs \(running), and \(installed) is installed",
      reason: "k3s was not restarted since", remedy: "helix-infra plan, then helix-infra apply",
      severity: .warning)
  }

  private func restarts(_ node: StatusReport.Node) -> Diagnostic? {
    guard let service = node.service, let restarts = service.restarts,
      restarts >= Self.manyRestarts
    else { return nil }
    return Diagnostic(
      "\(service.unit) on \(node.name) ended by itself \(restarts) times",
      reason: "systemd started it again each time",
      remedy: "helix-infra exec \(node.name) -- journalctl -u \(service.unit) -n 200",
      severity: .warning)
  }
}
