import HelixModel

/// How a server's copy of a cluster's lock is read: the shell that tells of it, here and wherever a
/// copy is changed.
package enum LockReading {
  /// The word before a script's verdict.
  static let mark = "helix-lock"

  /// Where a host of the cluster keeps the highest number that was shown to it.
  package static let fence = "\(HostPlaces.state)/fence"

  /// Tells who holds it; changes nothing.
  package static func look(fence: String = fence) -> String {
    """
    \(shell(fence: fence))
    helix_look
    helix_tell seen
    """
  }

  /// What a server says of its copy, asked with other facts.
  package static let fact = Fact<ServerLock>(
    "cluster-lock", command: look(),
    parse: { (answer) throws(Diagnostic) in
      guard answer.status == 0 else {
        throw Diagnostic("the lock of the cluster cannot be looked at")
      }
      return try ServerLock(answer.output)
    },
    summary: { lock in lock.holder.map { "\(lock.state.rawValue), \($0.run.who)" } ?? "free" })

  /// Defines what reads a server's copy into variables, and what tells of it.
  package static func shell(fence: String) -> String {
    """
    dir=\(HostPlaces.state)
    wall=\(fence)
    lock=$dir/lock
    helix_number() { case $1 in ''|*[!0-9]*) number=0 ;; *) number=$1 ;; esac; }
    helix_look() {
    \(HostPlaces.telling)
    fence=0 highest=0 run= mine=0 booted= taken=0 renewed=0 ttl=0 state=free
    if [ -s "$wall" ]; then read -r number _ <"$wall" || :; helix_number "$number"; fence=$number; fi
    if [ -s "$lock/highest" ]; then read -r number <"$lock/highest" || :; helix_number "$number"; highest=$number; fi
    [ -f "$lock/holder" ] || return 0
    while read -r key value; do
    helix_number "$value"
    case $key in
    run) run=$value ;;
    boot) booted=$value ;;
    number) mine=$number ;;
    taken) taken=$number ;;
    renewed) renewed=$number ;;
    ttl) ttl=$number ;;
    esac
    done <"$lock/holder"
    state=expired
    [ "$booted" = "$boot" ] && [ "$fence" -le "$mine" ] || return 0
    if [ "$up" -ge "$renewed" ] && [ $((up - renewed)) -le "$ttl" ]; then state=live; fi
    }
    helix_tell() {
    echo "\(mark) $1 $state"
    [ ! -f "$lock/holder" ] || cat "$lock/holder"
    echo "uptime $up"
    echo "now-boot $boot"
    echo "fence $fence"
    echo "highest $highest"
    }
    """
  }
}
