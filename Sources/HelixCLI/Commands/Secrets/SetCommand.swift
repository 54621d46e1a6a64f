import ArgumentParser
import Foundation
import HelixModel
import HelixSOPS
import HelixSecrets

/// Gives a place in an encrypted file another value.
struct SetCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "set", abstract: "Give a place in an encrypted file another value.",
    discussion: """
      The value is read from stdin, never from the command line, where every user of the machine could \
      see it. It is text, without the line end behind it; with --json it is one value in JSON, so that \
      numbers and truth values keep their type. Every other value keeps its ciphertext.
      """)

  @Argument(help: "The file.", completion: .file())
  var file: String

  @Argument(help: "The place, such as '[\"db\"][\"password\"]'.")
  var path: String

  @Flag(help: "The value is JSON: \"text\", a number, true, false or null.")
  var json = false

  @OptionGroup var format: FormatOptions
  @OptionGroup var inventory: EstateOptions
  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard [PathStep](sopsPath: path) != nil else {
      throw ValidationError("a path is written as '[\"key\"][0]'")
    }
  }

  func run() async throws {
    try await Console.ofSecrets(common).atDesk(inventory) { console, desk in
      let steps = [PathStep](sopsPath: path) ?? []
      let file = try GuardedFile.given(file)
      let document = try desk.opener.open(file, format: format.format(of: file.path))
      let value = try value(of: FileHandle.standardInput.readToEnd() ?? Data())
      var random = SystemRandomNumberGenerator()
      let changed = try document.setting(steps, to: value, tools: desk.tools, random: &random)
      if let changed { try file.replace(with: changed) }
    }
  }

  private func value(of input: Data) throws -> SOPSValue {
    var bytes = Array(input)
    if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
    guard json else {
      guard String(validating: bytes, as: UTF8.self) != nil else {
        throw Failure(
          .invalidInput,
          [Diagnostic("the value is not UTF-8 text", remedy: "encode it in base64 first")])
      }
      return .text(bytes)
    }
    guard let value = SOPSValue(json: bytes) else {
      throw Failure(
        .invalidInput,
        [
          Diagnostic(
            "what stdin says is no value in JSON",
            remedy: "text stands in quotes; leave --json out for text as it is")
        ])
    }
    return value
  }
}

extension SOPSValue {
  /// One value in JSON; nil for anything else.
  fileprivate init?(json bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces)
    switch text {
    case "null": self = .null
    case "true": self = .boolean(true)
    case "false": self = .boolean(false)
    case _ where text.hasPrefix("\""):
      guard let string = try? JSONDecoder().decode(String.self, from: Data(text.utf8)) else {
        return nil
      }
      self = .text(Array(string.utf8))
    default:
      guard (try? JSONDecoder().decode(Double.self, from: Data(text.utf8))) != nil else {
        return nil
      }
      if let number = Int64(text) {
        self = .integer(number)
      } else if let number = Double(text), number.isFinite {
        self = .number(number)
      } else {
        return nil
      }
    }
  }
}
