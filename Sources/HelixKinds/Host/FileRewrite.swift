import HelixModel

/// POSIX sh that passes a text file through awk: beside the file, flushed, then renamed over it.
///
/// Owner and mode stay, a link stays a link, and a file that is not there yet counts as empty. The
/// program reads its values from `ENVIRON`, where awk leaves backslashes alone.
func rewriting(
  _ file: String, with environment: [(name: String, value: String)] = [], by program: String
) -> String {
  let variables = environment.map { "\($0.name)=\(shellQuoted($0.value)) " }.joined()
  return """
    umask 022
    file=\(shellQuoted(file))
    mkdir -p "${file%/*}/"
    file=$(readlink -f "$file")
    [ -e "$file" ] || : >"$file"
    part=${file%/*}/.${file##*/}.helix
    rm -f "$part"
    cp -p "$file" "$part"
    \(variables)awk \(shellQuoted(program)) "$file" >"$part"
    sync "$part" 2>/dev/null || sync
    mv -f "$part" "$file"
    """
}
