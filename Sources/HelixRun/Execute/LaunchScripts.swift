import HelixModel
import HelixPlan

/// The scripts of steps that run apart from any connection, each with a record of its own on the
/// host.
///
/// A record is a folder. The one who runs the step holds flock(2) on its `alive`, so whether it
/// still runs is known from the kernel and not from a process's number.
struct LaunchScripts {
  /// The name of the record: one for each step and script.
  let key: String
  let launch: Launch
  let run: RunIdentity

  init(_ launch: Launch, of step: StepID, run: RunIdentity) {
    self.launch = launch
    self.run = run
    key = "\(slug(step.description))-\(shortDigest("\(step)\n\(launch.script)"))"
  }

  /// The systemd unit that the step runs in.
  var unit: String { "helix-step-\(key)" }

  /// Where its record is.
  var folder: String { "\(HostPlaces.state)/steps/\(key)" }

  /// The word before what a script says about the step.
  static let mark = "helix-step"

  /// How many records a host keeps.
  private static let kept = 20
  /// Seconds for which a success counts that no run has seen: what is older may long be undone.
  private static let fresh = 3600
  /// Seconds that a step gets from its start until it has begun.
  private static let start = 120

  /// Begins the step unless it runs, or has just ended well for a run that saw no end of it and its
  /// result keeps; says which.
  var begin: String {
    """
    \(looking)
    me=\(shellQuoted(run.id))
    umask 077
    mkdir -p "$dir/steps"
    exec 9>>"$dir/steps/mutex"
    flock -w 20 9
    helix_look
    case $state in
    running|starting) ;;
    finished)
    if [ "$owner" = "$me" ] && [ "$booted" = "$boot" ]; then :
    elif \(standsIn); then :
    else state=begun; fi
    ;;
    *) state=begun ;;
    esac
    if [ "$state" = begun ]; then
    \(anew)
    fi
    helix_tell
    """
  }

  /// Waits so many seconds at most for the step's end, and says how it is; changes nothing.
  func attach(waiting seconds: Int) -> String {
    """
    \(looking)
    helix_look
    if [ "$state" = starting ]; then sleep 1; helix_look; fi
    if [ "$state" = running ]; then
    flock -s -w \(seconds) "$step/alive" true || :
    helix_look
    fi
    helix_tell
    """
  }

  /// Notes that a run has seen the end.
  var acknowledge: String { ": >\(shellQuoted("\(folder)/acknowledged"))" }
}

extension LaunchScripts {
  /// Whether the success of another run is as good as a new one.
  private var standsIn: String {
    launch.keepsResult
      ? #"[ "$status" = 0 ] && [ ! -e "$step/acknowledged" ] && [ "$age" -le \#(Self.fresh) ]"#
      : "false"
  }

  /// Defines what reads the record, and what tells of it.
  private var looking: String {
    """
    dir=\(HostPlaces.state)
    step=\(folder)
    helix_look() {
    \(HostPlaces.telling)
    owner= who= booted= started=0 status= age=0 state=none
    [ -s "$step/started" ] || return 0
    read -r started <"$step/started" || :
    read -r booted <"$step/boot-id" || :
    read -r owner who <"$step/run" || :
    case $started in ''|*[!0-9]*) return 0 ;; esac
    if [ -s "$step/status" ]; then
    state=finished
    read -r status ended <"$step/status" || :
    case $ended in ''|*[!0-9]*) ended=0 ;; esac
    [ "$booted" = "$boot" ] || ended=-\(Self.fresh)
    age=$((up - ended))
    elif [ "$booted" != "$boot" ]; then state=rebooted
    else
    age=$((up - started))
    if [ ! -e "$step/begun" ]; then
    state=starting
    [ "$age" -le \(Self.start) ] || state=vanished
    elif flock -s -n "$step/alive" true; then
    state=vanished
    if [ -s "$step/status" ]; then helix_look; fi
    else state=running
    fi
    fi
    }
    helix_tell() {
    echo "\(Self.mark) $state ${status:--} $age $owner $who"
    [ -d "$step" ] || return 0
    (cat "$step/output.before" "$step/output" 2>/dev/null || :) | tail -c 8192 | tail -n 20
    }
    """
  }

  /// Makes the record anew and starts the step; nothing of it is on a command line.
  private var anew: String {
    """
    rm -rf "$step"
    mkdir "$step"
    printf '%s\\n' \(shellQuoted(script)) >"$step/script"
    printf '%s\\n' \(shellQuoted(runner)) >"$step/runner"
    echo "$boot" >"$step/boot-id"
    echo "$me "\(shellQuoted(run.who)) >"$step/run"
    echo "$up" >"$step/started.new"
    mv "$step/started.new" "$step/started"
    \(pruning)
    if [ -d /run/systemd/system ] && command -v systemd-run >/dev/null; then
    systemd-run --quiet --collect --no-block --unit=\(unit) -p KillMode=control-group \
    -p RuntimeMaxSec=\(launch.timeout + 60) /bin/sh "$step/runner" 9>&-
    else
    setsid /bin/sh "$step/runner" >/dev/null 2>&1 9>&- &
    fi
    owner=$me who=\(shellQuoted(run.who)) age=0
    """
  }

  /// Removes the oldest records of steps that do not run.
  private var pruning: String {
    """
    ls -1t "$dir/steps" | tail -n +\(Self.kept + 2) | while read -r old; do
    old=$dir/steps/$old
    [ -d "$old" ] || continue
    if [ -e "$old/alive" ] && ! flock -n "$old/alive" true; then continue; fi
    rm -rf "$old"
    done
    """
  }

  /// What is to be done, as the other scripts are done.
  private var script: String { "\(ShellScript.surroundings)\nset -eu\n\(launch.script)" }

  /// Runs the script, keeps the end of its output, and writes its status down when all is over.
  ///
  /// Told to end from outside, as a reboot does, it leaves no status: the step has not come to an
  /// end of its own.
  private var runner: String {
    """
    umask 077
    step=\(folder)
    cd /
    \(ShellScript.surroundings)
    exec 8>>"$step/alive"
    flock 8
    : >"$step/begun"
    trap 'exit 143' TERM
    trap '' HUP INT
    mkfifo "$step/pipe"
    helix_output() {
    while :; do
    said=$(dd bs=512 count=256 2>&1 >>"$step/output")
    # Its counts stand behind warnings, if it has any.
    said=${said%% records in*}
    said=${said##*[!0-9+]}
    whole=${said%%+*} part=${said##*+}
    case $whole$part in ''|*[!0-9]*) break ;; esac
    [ $((whole + part)) -eq 256 ] || break
    # Many short lines are many short reads: what makes place for more has a length worth keeping.
    [ "$(wc -c <"$step/output")" -lt 65536 ] || mv -f "$step/output" "$step/output.before"
    done
    # On a full disk the script goes on all the same.
    cat >/dev/null
    }
    helix_output <"$step/pipe" 8>&- &
    output=$!
    timeout -k 10 \(launch.timeout) /bin/sh "$step/script" </dev/null >"$step/pipe" 2>&1 8>&-
    status=$?
    # What the script left running may hold on to its output for ever.
    turn=0
    while kill -0 "$output" 2>/dev/null && [ "$turn" -lt 20 ]; do sleep 0.1; turn=$((turn + 1)); done
    read -r up _ <\(HostPlaces.uptime)
    echo "$status ${up%%.*}" >"$step/status.new"
    sync "$step/status.new" 2>/dev/null || :
    mv "$step/status.new" "$step/status"
    rm -f "$step/pipe"
    """
  }
}

/// What a host says about a step that runs apart.
struct LaunchState: Hashable {
  enum Word: String {
    /// Started just now, by the script that says so.
    case begun
    case starting
    case running
    case finished
    /// The host was rebooted before the end.
    case rebooted
    /// It does not run, and left no status.
    case vanished
    case none
  }

  let word: Word
  /// Of a step that has finished.
  let status: Int?
  /// Seconds since its start, or since its end.
  let age: Int
  let runID: String
  let who: String
  /// The end of its output.
  let lines: [String]

  /// Reads what one of the scripts printed; nil when it makes no sense.
  init?(_ output: String) {
    let lines = plainLines(output, last: .max)
    guard
      let first = lines.firstIndex(where: { $0.hasPrefix("\(LaunchScripts.mark) ") }),
      case let words = lines[first].split(separator: " ", maxSplits: 5).map(String.init),
      words.count > 3, let word = Word(rawValue: words[1])
    else { return nil }
    self.word = word
    status = Int(words[2])
    age = Int(words[3]) ?? 0
    runID = words.count > 4 ? words[4] : ""
    who = words.count > 5 ? words[5] : "somebody"
    self.lines = Array(lines[(first + 1)...])
  }
}
