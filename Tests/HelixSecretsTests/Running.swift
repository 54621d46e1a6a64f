import Foundation
import TestSupport

/// What a command printed, without the last newline; it must end well.
func output(of program: String, _ arguments: [String], input: String = "") throws -> String {
  let ran = try run(program, arguments, input: input)
  guard ran.status == 0 else { throw CommandFailed(line: arguments, said: ran.all) }
  return ran.output.trimmingCharacters(in: .newlines)
}

struct CommandFailed: Error {
  let line: [String]
  let said: String
}
