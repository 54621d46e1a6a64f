import HelixModel
import HelixPlan

/// What apt would update on a host, and whether the host asks for a reboot.
struct PendingPackages: Sendable, Hashable {
  struct Package: Sendable, Hashable {
    var name: String
    /// Nil for one that comes new.
    var before: String?
    var after: String
  }

  /// Whether the lists of packages are from the last day.
  var listsAreFresh: Bool
  var updates: [Package]
  /// What would be taken off, because it is in the way of an update.
  var removals: [String]
  /// Whether an earlier update was cut short in the middle.
  var isHalfDone: Bool
  /// Why apt cannot tell; nil when it can.
  var trouble: String?
  var rebootIsRequired: Bool
  /// A kernel that was installed since the boot.
  var newerKernel: String?

  /// Seconds after which lists of packages are too old to go by.
  private static let freshness = 86400
  /// Written by apt's own timer where there is one, and by the refresh of these lists.
  static let stamp = "/var/lib/apt/periodic/update-success-stamp"

  var isNothing: Bool { updates.isEmpty && removals.isEmpty && !isHalfDone }

  /// Whether the system asks for a reboot, or will once the updates are there.
  var asksForReboot: Bool {
    rebootIsRequired || newerKernel != nil || updates.contains { Self.asksForReboot($0.name) }
  }

  // Those for which Debian's and Ubuntu's packages ask for a reboot themselves, and those that
  // every process holds open.
  private static func asksForReboot(_ package: String) -> Bool {
    let prefixes = ["linux-image-", "linux-firmware", "libssl", "libc6"]
    let names = [
      "systemd", "dbus", "udev", "intel-microcode", "amd64-microcode", "raspi-firmware",
    ]
    return names.contains(package) || prefixes.contains { package.hasPrefix($0) }
  }
}

extension PendingPackages {
  /// Nil for a host without apt.
  static let fact = Fact<PendingPackages?>(
    "os-packages",
    command: """
      if command -v apt-get >/dev/null; then
        helix_lists=$(stat -c %Y /var/lib/apt/lists \(stamp) 2>/dev/null | sort -n | tail -n 1)
        echo "age $(($(date +%s) - ${helix_lists:-0}))"
        [ -z "$(dpkg --audit 2>/dev/null)" ] || echo half-done
        { helix_errors=$({ LC_ALL=C apt-get -qq -s dist-upgrade |
          sed -n \(shellQuoted(lines)) >&3; } 2>&1); } 3>&1
        [ -z "$helix_errors" ] || printf '%s\n' "$helix_errors" | sed -n 's/^E: /trouble /p'
        if [ -e /run/reboot-required ] || [ -e /var/run/reboot-required ]; then echo reboot-required; fi
        helix_kernel=$(uname -r)
        helix_newest=$(ls /boot/ 2>/dev/null | sed -n "s/^vmlinuz-\\(.*-${helix_kernel##*-}\\)\\$/\\1/p" |
          sort -V | tail -n 1)
        # A host that was booted since and still runs an older kernel was told to.
        if [ -n "$helix_newest" ] && [ "$helix_newest" != "$helix_kernel" ] &&
          [ "$(stat -c %Z "/boot/vmlinuz-$helix_newest")" -gt "$(awk '$1 == "btime" { print $2 }' /proc/stat)" ]
        then echo "kernel $helix_newest"; fi
        echo end
      else echo none; fi
      """,
    parse: parse, summary: { $0.map(\.summary) ?? "no apt" })

  private static let lines =
    #"s/^Inst \([^ ]*\) \[\([^]]*\)\] (\([^ ]*\) .*/update \1 \3 \2/p; "#
    + #"s/^Inst \([^ ]*\) (\([^ ]*\) .*/update \1 \2/p; s/^Remv \([^ ]*\) .*/remove \1/p"#

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> PendingPackages? {
    let lines = FactLines(answer.output)
    guard !lines.has("none") else { return nil }
    guard lines.has("end"), let age = lines.number("age") else {
      throw Diagnostic("apt cannot be asked", reason: "the host's answer broke off")
    }
    let updates = lines.all("update").map { line in
      let cells = words(of: line)
      return Package(
        name: cells.first ?? "", before: cells.count > 2 ? cells[2] : nil,
        after: cells.count > 1 ? cells[1] : "")
    }
    return PendingPackages(
      listsAreFresh: age < freshness, updates: updates.sorted { $0.name < $1.name },
      removals: lines.all("remove").sorted(), isHalfDone: lines.has("half-done"),
      trouble: lines["trouble"], rebootIsRequired: lines.has("reboot-required"),
      newerKernel: lines["kernel"])
  }

  private var summary: String {
    var parts = [listsAreFresh ? "lists of the last day" : "old lists"]
    parts += updates.map { "\($0.name) \($0.after)" } + removals.map { "\($0) goes" }
    if isHalfDone { parts.append("half done") }
    if let trouble { parts.append(trouble) }
    if rebootIsRequired { parts.append("reboot required") }
    if let newerKernel { parts.append("kernel \(newerKernel)") }
    return parts.joined(separator: ", ")
  }
}
