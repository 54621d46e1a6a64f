import HelixAge
import HelixSOPS

extension FuzzTarget {
  /// Everything that is fuzzed.
  package static let all = age + sops

  /// The parsers of age files.
  package static let age = [
    FuzzTarget(
      "age-header",
      words: [
        "age-encryption.org/v1\n", "-> ", "\n-> X25519 ", "-> mlkem768x25519 ", "-> ssh-rsa ",
        "-> ssh-ed25519 ", "-> scrypt ", "\n--- ", "---", " ", "=", "\r\n",
        "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n",
      ]
    ) { file in
      _ = try? AgeFile.decrypt(file, with: identities, form: .binary)
    },
    FuzzTarget(
      "age-armor",
      words: [
        "-----BEGIN AGE ENCRYPTED FILE-----\n", "-----END AGE ENCRYPTED FILE-----\n", "-----", "\n",
        "\r\n", " ", "=", "==", "YWdlLWVuY3J5cHRpb24ub3JnL3Yx",
      ]
    ) { file in
      _ = try? AgeFile.decrypt(file, with: identities, form: .armored)
      _ = try? AgeFile.stanzas(of: file)
    },
  ]

  /// The parsers of SOPS documents; what they read is written once more, too.
  package static let sops = [
    FuzzTarget(
      "sops-yaml",
      words: [
        "- ", "? ", ": ", "  ", "\n", "\t", "{", "[", "]", "}", ",", "'", "\"", "|", ">-", "|+9",
        "#",
        " #c\n", "&a ", "*a", "!!binary ", "!<", "---\n", "...\n", "<<: ", "%YAML 1.2\n", "\r\n",
        "\u{feff}", "\u{85}", "\\x", "sops:\n", "ENC[AES256_GCM,data:", "a:\n ", "0x", ".inf",
      ]
    ) { read($0, .yaml) },
    FuzzTarget(
      "sops-json",
      words: [
        "{", "}", "[", "]", ":", ",", "\"", "\\u", "\\ud83d", "\\", "1e", "-", "true", "null", "\n",
        "\"sops\":{", "ENC[AES256_GCM,data:", "{\"a\":", "0", ".",
      ]
    ) { read($0, .json) },
    FuzzTarget("sops-dotenv", words: ["=", "#", "\n", "\\n", "sops_", "__list_", "__map_", "\r"]) {
      read($0, .dotenv)
    },
    FuzzTarget(
      "sops-ini", words: ["[", "]", "=", ";", "#", "\"", "\"\"\"", "\\", "\n", "[sops]\n"]
    ) {
      read($0, .ini)
    },
  ]

  private static func read(_ file: [UInt8], _ format: SOPSFormat) {
    guard let text = try? SOPSText.parse(file, format: format, file: "input") else { return }
    _ = try? text.replacing([:], metadata: text.metadata)
  }

  /// Made for this; they open what is in the corpus, so that mutations reach the payload as well.
  private static let identities = [classic, quantum].compactMap { try? AgeKeys().identity($0) }
  private static let classic =
    "AGE-SECRET-KEY-1CFV5A3U6K3A7A04TVE50L66ZJHKASDEQFHH2GUAKF0ETY5XRU0RQXVG5MZ"
  private static let quantum =
    "AGE-SECRET-KEY-PQ-17HJESJ8F0UC2P07XUJ0RK7YAY7GE8UWDU9608R8JJPZPA6K8JEWSQ2P4RM"
}
