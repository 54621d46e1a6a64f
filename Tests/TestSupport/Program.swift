/// Writes a program that this process may start at once.
///
/// Another process writes it: what this one has had open for writing cannot be started ("Text file
/// busy") as long as a child that another test is starting holds the same open file.
package func writeProgram(_ text: String, to path: String, mode: Int = 0o755) throws {
  let script = #"printf %s "$2" >"$0.new" && chmod "$1" "$0.new" && mv "$0.new" "$0""#
  let ran = try run("/bin/sh", ["-c", script, path, String(mode, radix: 8), text])
  guard ran.status == 0 else { throw NotWritten(why: ran.errors) }
}

/// A program could not be written.
private struct NotWritten: Error {
  let why: String
}
