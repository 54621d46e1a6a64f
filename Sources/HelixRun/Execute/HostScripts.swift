/// The scripts that instructions run on hosts; parameters and content reach them from outside, so
/// each is the same text every time.
enum HostScripts {
  /// Writes standard input to a file: $1 path, $2 mode, $3 owner, $4 group, $5 size, $6 nonce.
  ///
  /// The size tells a connection that was cut from content that has ended. Content is for root's
  /// eyes until owner and mode are right, and under its name only when it is on the disk.
  static let write = """
    set -eu
    umask 077
    path=$1
    folder=${path%/*}
    part=$folder/.${path##*/}.helix-$6
    if [ -d "$path" ]; then echo "$path is a folder" >&2; exit 1; fi
    [ -d "$folder/" ] || (umask 022; mkdir -p "$folder")
    rm -f "$folder/.${path##*/}.helix-"*
    trap 'rm -f "$part"' EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
    cat >"$part"
    size=$(wc -c <"$part")
    if [ "$size" -ne "$5" ]; then echo "only $size of $5 bytes arrived" >&2; exit 1; fi
    chown "$3:$4" "$part"
    chmod "$2" "$part"
    sync "$part" 2>/dev/null || sync
    mv -f "$part" "$path"
    sync "$folder/" 2>/dev/null || :
    """

  /// Prints the SHA-256 of the file $1, or nothing when there is none; makes its mode $2 if its
  /// checksum is $3.
  static let check = """
    set -eu
    [ -f "$1" ] || exit 0
    sum=$(sha256sum <"$1")
    sum=${sum%% *}
    if [ "$sum" = "$3" ]; then chmod "$2" "$1"; rm -f "$1.part" "$1.part.helix-"*; fi
    echo "$sum"
    """

  /// Where a file is brought to before it is put in its place.
  ///
  /// The part lies in the same folder, so the rename is one move and a running program keeps its
  /// old file; what is left of it by a run that was cut is gone on with.
  static func part(of path: String) -> String { "\(path).part" }

  /// Puts the part, which is whole, in the place of a file: $1 path, $2 mode, $3 where to keep the
  /// file that stood there, or nothing.
  ///
  /// Until the rename everything may be done again, so nothing is taken back when it is interrupted.
  static let install = """
    set -eu
    umask 022
    path=$1
    part=$path.part
    keep=$3
    if [ -d "$path" ]; then echo "$path is a folder" >&2; exit 1; fi
    chown 0:0 "$part"
    chmod "$2" "$part"
    sync "$part" 2>/dev/null || sync
    if [ -n "$keep" ] && [ -f "$path" ] && ! cmp -s "$path" "$keep"; then
      mkdir -p "${keep%/*}/"
      rm -f "$keep.part"
      ln "$path" "$keep.part" 2>/dev/null || cp -p "$path" "$keep.part"
      mv -f "$keep.part" "$keep"
    fi
    mv -f "$part" "$path"
    sync "${path%/*}/" 2>/dev/null || :
    """

  /// The status with which `receive` says that what arrived is not what was sent.
  static let wrongChecksum = 66

  /// Writes standard input to a file: $1 path, $2 SHA-256; one that is cut or wrong is removed.
  static let receive = """
    set -eu
    umask 077
    case $1 in */*) (umask 022; mkdir -p "${1%/*}/") ;; esac
    if [ -d "$1" ]; then echo "$1 is a folder" >&2; exit 1; fi
    trap 'rm -f "$1"' EXIT
    trap 'exit 129' HUP; trap 'exit 130' INT; trap 'exit 143' TERM
    rm -f "$1"
    cat >"$1"
    sum=$(sha256sum <"$1")
    sum=${sum%% *}
    if [ "$sum" != "$2" ]; then
      echo "arrived with SHA-256 $sum instead of $2" >&2
      exit \(wrongChecksum)
    fi
    wc -c <"$1"
    trap - EXIT
    """
}
