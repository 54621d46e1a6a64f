import HelixAge

extension FuzzTarget {
  /// Everything that is fuzzed.
  package static let all = age

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

  /// Made for this; they open what is in the corpus, so that mutations reach the payload as well.
  private static let identities = [classic, quantum].compactMap { try? AgeKeys().identity($0) }
  private static let classic =
    "AGE-SECRET-KEY-1CFV5A3U6K3A7A04TVE50L66ZJHKASDEQFHH2GUAKF0ETY5XRU0RQXVG5MZ"
  private static let quantum =
    "AGE-SECRET-KEY-PQ-17HJESJ8F0UC2P07XUJ0RK7YAY7GE8UWDU9608R8JJPZPA6K8JEWSQ2P4RM"
}
