import HelixModel

/// The scripts by which a file arrives on a host; what differs reaches them as parameters.
enum UploadScripts {
  /// Exit statuses by which `receive` says more than that it failed.
  enum Status {
    /// What arrived could not be written.
    static let unwritten = 65
    /// The whole file arrived, with another SHA-256.
    static let wrongChecksum = 66
    /// Another transfer to the same path came in between.
    static let overtaken = 67
  }

  /// Tells what a transfer can build on: $1 path, $2 size of the file to send, $3 block size.
  ///
  /// Prints `summer NAME` for the program that takes checksums, openssl before sha256sum since it
  /// knows the processor's own instructions; `unpacker NAME` when a program for gzip's format works,
  /// tried on an empty member; and for each whole block that stands there `block SHA-256`. Each block
  /// has its own sum, since a host that went down may have lost the end of what it had.
  static let survey = #"""
    set -eu
    LC_ALL=C; export LC_ALL
    summer=sha256sum
    case $(openssl dgst -sha256 -r </dev/null 2>/dev/null) in
      e3b0c442*) summer='openssl dgst -sha256 -r'; echo 'summer openssl' ;;
      *) sha256sum </dev/null >/dev/null; echo 'summer sha256sum' ;;
    esac
    for tool in gzip zstd; do
      if printf '\037\213\010\000\000\000\000\000\000\003\003\000\000\000\000\000\000\000\000\000' |
        $tool -dc >/dev/null 2>&1; then echo "unpacker $tool"; break; fi
    done
    [ -f "$1" ] || exit 0
    size=$(wc -c <"$1")
    [ "$size" -le "$2" ] || size=$2
    count=$((size / $3))
    exec 3<"$1"
    while [ "$count" -gt 0 ]; do
      sum=$(dd bs="$3" count=1 iflag=fullblock <&3 2>/dev/null | $summer)
      echo "block ${sum%% *}"
      count=$((count - 1))
    done
    """#

  /// Adds standard input to what stands at a path: $1 path, $2 block size, $3 blocks to keep, $4 size
  /// of the whole file, $5 its SHA-256, $6 what takes checksums, $7 what unpacks the input, $8 nonce.
  ///
  /// Prints the size that was reached; when it is the whole file's, the checksum was right.
  ///
  /// The receiver of a connection that was cut may live on, and with it a descriptor of the file it
  /// wrote to. So no file is ever written to by two: each receiver copies the blocks to keep (shared,
  /// where the file system can) into a file of its own, moves that to the path, and works on its own
  /// descriptors from then on; whatever a dead connection's receiver still writes goes to a file
  /// without a name. Before the move and at the end it looks whether the path is still its own.
  static let receive = """
    set -eu
    LC_ALL=C; export LC_ALL
    umask 077
    path=$1 bs=$2 blocks=$3 size=$4 expected=$5 summer=$6 unpacker=$7 fresh=$1.helix-$8
    if [ -d "$path" ]; then echo "$path is a folder" >&2; exit 1; fi
    if [ -e "$path" ] && [ ! -f "$path" ]; then echo "$path is no file" >&2; exit 1; fi
    case $path in */*) (umask 022; mkdir -p "${path%/*}/") ;; esac
    rm -f "$path.helix-"*
    trap 'rm -f "$fresh"' EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
    old=
    if [ -e "$path" ]; then exec 5<"$path"; old=yes; fi
    if [ "$blocks" -gt 0 ]; then
      cp --reflink=auto "$path" "$fresh" 2>/dev/null || cat "$path" >"$fresh"
      dd if=/dev/null of="$fresh" bs="$bs" seek="$blocks" 2>/dev/null
    else
      : >"$fresh"
    fi
    exec 3>>"$fresh" 4<"$fresh"
    if [ "$old" ]; then
      [ "$path" -ef /dev/fd/5 ] || exit \(Status.overtaken)
      exec 5<&-
    else
      [ ! -e "$path" ] || exit \(Status.overtaken)
    fi
    mv -f "$fresh" "$path"
    $unpacker >&3 || exit \(Status.unwritten)
    reached=$(wc -c </dev/fd/4)
    echo $((reached))
    [ "$reached" -eq "$size" ] || exit 0
    sum=$($summer <&4)
    [ "$path" -ef /dev/fd/4 ] || exit \(Status.overtaken)
    if [ "${sum%% *}" != "$expected" ]; then
      rm -f "$path"
      echo "arrived with SHA-256 ${sum%% *} instead of $expected" >&2
      exit \(Status.wrongChecksum)
    fi
    """

  /// Removes what a transfer left: $1 path.
  static let discard = #"rm -f "$1" "$1.helix-"*"#

  /// A script as a command with its parameters.
  static func command(_ script: String, _ parameters: [String]) -> String {
    (["sh", "-c", script, "helix"] + parameters).map(shellQuoted).joined(separator: " ")
  }
}

/// What a host says a transfer can build on.
struct UploadSurvey: Hashable, Sendable {
  /// The command that takes a checksum of its input there.
  private(set) var summer = "sha256sum"
  /// The command that unpacks gzip's format there; nil when there is none.
  private(set) var unpacker: String?
  /// SHA-256 of each whole block at the destination, in order.
  private(set) var blocks: [String] = []

  init(_ text: String) {
    for line in text.split(separator: "\n") {
      let words = line.split(separator: " ").map(String.init)
      switch (words.first, words.last) {
      case ("summer", "openssl"): summer = "openssl dgst -sha256 -r"
      case ("unpacker", "gzip"): unpacker = "gzip -dc"
      case ("unpacker", "zstd"): unpacker = "zstd -dc"
      case ("block", let sum?): blocks.append(sum)
      default: break
      }
    }
  }
}
