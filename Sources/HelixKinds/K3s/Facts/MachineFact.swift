import HelixModel
import HelixPlan

/// What a machine is and whether k3s can live on it.
struct MachineFacts: Sendable, Hashable {
  /// The word of `uname -m`.
  var machine: String
  var machineID: String
  var bootID: String
  var hostname: String
  var system: String
  var hasSystemd: Bool
  var memoryKiB: Int?
  var swaps: Bool
  var hasMemoryController: Bool
  /// Free KiB where k3s keeps its data, and where its binary goes.
  var freeForData: Int?
  var freeForBinary: Int?
  /// Every address of the host; empty when it could not be told.
  var addresses: [String]

  /// Free KiB that a first install needs: unpacked binaries, images and the datastore.
  static let neededForData = 1 << 20
  /// The binary, the previous one and the one being uploaded.
  static let neededForBinary = 256 << 10

  /// The places with too little room for a first install.
  var crampedPlaces: [String] {
    var places: [String] = []
    if let free = freeForData, free < Self.neededForData { places.append("/var/lib") }
    if let free = freeForBinary, free < Self.neededForBinary { places.append("/usr/local") }
    return places
  }
}

extension MachineFacts {
  static let fact = Fact<MachineFacts>(
    "k3s-machine", command: command, parse: parse, summary: \.summary)

  private static let command = """
    printf 'machine %s\\n' "$(uname -m)"
    helix_line() {
      helix_value=
      [ ! -r "$2" ] || IFS= read -r helix_value <"$2"
      printf '%s %s\\n' "$1" "$helix_value"
    }
    helix_line machine-id /etc/machine-id
    helix_line boot-id /proc/sys/kernel/random/boot_id
    helix_line hostname /proc/sys/kernel/hostname
    [ ! -d /run/systemd/system ] || echo systemd
    df -Pk /var/lib /usr/local | awk '
      { free[NR] = $4 }
      END {
        # A folder that is not there has no line: whose the others are cannot be told then.
        if (NR == 3) { print "free-data", free[2]; print "free-binary", free[3] }
        while ((getline < "/proc/meminfo") > 0) {
          if ($1 == "MemTotal:") print "memory", $2
          if ($1 == "SwapTotal:" && $2 > 0) print "swap"
        }
        if ((getline line < "/sys/fs/cgroup/cgroup.controllers") > 0)
          memory = index(" " line " ", " memory ")
        while (!memory && (getline < "/proc/cgroups") > 0) memory = $1 == "memory" && $4 == 1
        if (memory) print "memory-controller"
      }'
    printf 'addresses %s\\n' "$(hostname -I 2>/dev/null)"
    # Last, since a shell that cannot read it ends.
    . /etc/os-release && printf 'system %s\\n' "$PRETTY_NAME"
    """

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> MachineFacts {
    let lines = FactLines(answer.output)
    guard let machine = lines["machine"] else {
      throw Diagnostic(
        "the host does not say what machine it is", reason: "uname -m printed nothing")
    }
    return MachineFacts(
      machine: machine, machineID: lines["machine-id"] ?? "", bootID: lines["boot-id"] ?? "",
      hostname: lines["hostname"] ?? "", system: lines["system"] ?? "an unknown system",
      hasSystemd: lines.has("systemd"), memoryKiB: lines.number("memory"),
      swaps: lines.has("swap"), hasMemoryController: lines.has("memory-controller"),
      freeForData: lines.number("free-data"), freeForBinary: lines.number("free-binary"),
      addresses: words(of: lines["addresses"] ?? ""))
  }

  // Uptime, free bytes and pod bridges move by nature; only what they mean is told.
  private var summary: String {
    let room = crampedPlaces.isEmpty ? "room enough" : "little room in \(crampedPlaces)"
    let memory = memoryKiB.map { "\(($0 + (1 << 20) - 1) >> 20) GiB" } ?? "unknown memory"
    return [
      hostname, machine, system, "machine-id \(machineID)", memory, room,
      swaps ? "swap" : "no swap",
      hasMemoryController ? "memory cgroup" : "no memory cgroup",
    ].joined(separator: ", ")
  }
}
