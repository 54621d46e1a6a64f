import HelixModel
import HelixPlan

/// Keeps out runs that have lost the lock: every deed shows its run's number, and a host that has
/// seen a higher one refuses it.
package struct Fence: Hashable, Sendable {
  /// One more than any run before had.
  package let number: Int
  /// For people: who runs under it.
  let who: String
  let cluster: String
  let members: Set<HostName>

  /// The fence of a run that holds the lock of a cluster with these hosts.
  init(number: Int, who: String, cluster: String, members: Set<HostName>) {
    self.number = number
    self.who = who
    self.cluster = cluster
    self.members = members
  }

  /// The status with which a host refuses a run whose time is over.
  static let refused = 87
  /// The status with which a host says that it could not remember this run.
  static let unkept = 86

  /// The word before the number and the owner of the run that a host has seen.
  private static let mark = "helix-fence"

  /// A host outside the cluster may serve several, whose numbers have nothing to do with each other.
  func path(on host: HostName) -> String {
    members.contains(host)
      ? LockReading.fence : "\(LockReading.fence)-\(slug(cluster))-\(shortDigest(cluster))"
  }

  /// The beginning of every script that may change the host: goes on when no newer run was there,
  /// and remembers that this one was.
  ///
  /// Two runs may come at the same moment, so the file is changed under a lock, and only ever to a
  /// higher number.
  func prefix(on host: HostName) -> String {
    """
    \(Self.function)
    helix_fence \(number) \(shellQuoted(who)) \(path(on: host)) </dev/null || exit $?

    """
  }

  private static let function = """
    helix_fence() (
    umask 077
    look() {
    seen=0 who=
    [ ! -s "$1" ] || read -r seen who <"$1" || :
    case $seen in ''|*[!0-9]*) seen=0 ;; esac
    }
    \(HostPlaces.keeping)
    look "$3"
    if [ "$seen" -lt "$1" ]; then
    mkdir -p "${3%/*}" && exec 9>>"${3%/*}/mutex" && flock -w 10 9 ||
    { echo "the run's number could not be kept: it takes flock of util-linux, and ${3%/*}/mutex" >&2; exit \(unkept); }
    look "$3"
    if [ "$seen" -lt "$1" ]; then
    helix_keep "$3" "$1 $2" || { echo "the run's number could not be kept in $3" >&2; exit \(unkept); }
    seen=$1
    fi
    fi
    [ "$seen" -eq "$1" ] || { echo "\(mark) $seen $who" >&2; exit \(refused); }
    )
    """

  /// What a refusal means; nil when a command failed for a reason of its own.
  func refusal(_ output: CommandOutput, by host: HostName) -> Diagnostic? {
    guard output.status == Self.refused,
      let line = plainLines(output.errors, last: .max).last(where: { $0.hasPrefix(Self.mark) })
    else { return nil }
    let words = line.split(separator: " ", maxSplits: 2).map(String.init)
    guard words.count > 1, let seen = Int(words[1]) else { return nil }
    let owner = words.count > 2 ? ", by \(words[2])" : ""
    return Diagnostic(
      "a newer run (number \(seen)\(owner)) has taken over",
      reason: "\(host) has seen that number and refuses this run's, \(number); nothing was done",
      remedy: "see who runs with helix-infra unlock, and run apply again when that run has ended")
  }
}
