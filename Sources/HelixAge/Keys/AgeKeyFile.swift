package import HelixModel

extension AgeKeys {
  /// The identities in a file: a key file, one encrypted with a passphrase, or a private SSH key.
  ///
  /// - Parameters:
  ///   - text: what the file holds
  ///   - path: how messages name it
  ///   - publicKey: what the `.pub` file beside it holds, which only locked PEM keys need
  /// - Throws: a `Diagnostic` that tells lines and quotes nothing of them.
  /// - Returns: at least one; locked ones ask for their passphrase when they are first needed.
  package func identities(
    in text: SecretValue, path: String, publicKey: String? = nil
  ) throws(Diagnostic) -> [any AgeIdentity] {
    let bytes = text.reveal()
    let start = bytes.drop(while: Armor.isBlank)
    if bytes.starts(with: AgeHeader.intro.dropLast()) || start.starts(with: Armor.begin) {
      return [try encryptedFile(bytes, path: path)]
    }
    if start.starts(with: Array("-----BEGIN ".utf8)) {
      return [try sshKey(text, path: path, publicKey: publicKey)]
    }
    return try plainIdentities(in: bytes, path: path)
  }

  /// The recipients in a file of them: one in each line, and lines that start with `#`.
  ///
  /// - Throws: a `Diagnostic` that tells the line.
  package func recipients(
    in text: [UInt8], path: String
  ) throws(Diagnostic) -> [any AgeRecipient] {
    var recipients: [any AgeRecipient] = []
    for (number, line) in lines(of: text) {
      do {
        recipients.append(try recipient(String(decoding: line, as: UTF8.self)))
      } catch {
        throw Diagnostic(
          "this line is no recipient", reason: error.reason,
          at: SourceLocation(file: path, line: number, column: 1))
      }
    }
    return recipients
  }

  private func plainIdentities(
    in text: [UInt8], path: String
  ) throws(Diagnostic) -> [any AgeIdentity] {
    var identities: [any AgeIdentity] = []
    for (number, line) in lines(of: text) {
      do {
        identities.append(try identity(String(decoding: line, as: UTF8.self)))
      } catch {
        throw Diagnostic(
          "this line is no identity", reason: error.reason,
          remedy: "write one AGE-SECRET-KEY-… in a line, without blanks around it",
          at: SourceLocation(file: path, line: number, column: 1))
      }
    }
    guard !identities.isEmpty else {
      throw Diagnostic(
        "the key file holds no identity", remedy: "make one with helix-infra secrets keygen",
        at: SourceLocation(file: path, line: 1, column: 1))
    }
    return identities
  }

  /// The lines that say something, with their numbers; they may end as on Windows.
  private func lines(of text: [UInt8]) -> [(Int, ArraySlice<UInt8>)] {
    let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
    return lines.enumerated().compactMap { number, line in
      let line = line.last == 0x0d ? line.dropLast() : line
      return line.isEmpty || line.first == UInt8(ascii: "#") ? nil : (number + 1, line)
    }
  }
}

// MARK: - Locked files

extension AgeKeys {
  private func encryptedFile(
    _ file: [UInt8], path: String
  ) throws(Diagnostic) -> any AgeIdentity {
    let place = Diagnostic.Place.source(SourceLocation(file: path, line: 1, column: 1))
    let stanzas: [AgeStanza]
    do {
      stanzas = try AgeFile.stanzas(of: file)
    } catch {
      throw error.diagnostic(at: place)
    }
    guard stanzas.contains(where: { $0.type == PassphraseRecipient.stanzaType }) else {
      throw Diagnostic(
        "the key file is encrypted for other keys",
        reason: "only one that is encrypted with a passphrase can be opened here",
        remedy: "decrypt it first, or encrypt it with a passphrase", at: place)
    }
    guard let passphrase else { throw noPassphrase(place) }
    return LockedIdentity(
      purpose: "the key file \(path)", known: [], passphrase: passphrase
    ) { answer in
      do {
        let text = try AgeFile.decrypt(file, with: [PassphraseIdentity(answer)])
        return .identities(try plainIdentities(in: text, path: path))
      } catch AgeProblem.noMatch {
        return .wrongPassphrase
      } catch let problem as AgeProblem {
        return .problem(problem)
      } catch {
        return .problem(.key("what the key file \(path) holds is no key file"))
      }
    }
  }

  private func noPassphrase(_ place: Diagnostic.Place) -> Diagnostic {
    Diagnostic(
      "the key file is locked with a passphrase",
      reason: "there is nobody to ask for it", at: place)
  }

  private func sshKey(
    _ text: SecretValue, path: String, publicKey: String?
  ) throws(Diagnostic) -> any AgeIdentity {
    let place = Diagnostic.Place.source(SourceLocation(file: path, line: 1, column: 1))
    guard let ssh else { throw Diagnostic("keys of SSH cannot be used here", at: place) }
    do {
      let key = try ssh.read(text)
      guard key.isLocked else { return try Self.identity(key.key(passphrase: nil)) }
      guard let passphrase else { throw noPassphrase(place) }
      return try Self.locked(
        key, beside: publicKey.flatMap { SSHPublicKey($0) }, path: path, passphrase)
    } catch let refusal as SSHKeyRefusal {
      throw Diagnostic("the key file is of no use here", reason: refusal.reason, at: place)
    } catch let problem as Diagnostic {
      throw problem
    } catch {
      throw Diagnostic("the key file is of no use here", reason: "\(error)", at: place)
    }
  }

  /// An identity that asks for its passphrase when a file has a stanza for it.
  private static func locked(
    _ key: any SSHKeyText, beside: SSHPublicKey?, path: String,
    _ passphrase: @escaping AgePassphrase
  ) throws -> any AgeIdentity {
    guard let publicKey = key.publicBlob.flatMap({ SSHPublicKey(blob: $0) }) ?? beside else {
      throw Diagnostic(
        "the locked key does not tell its public half",
        reason: "so it would have to be unlocked for every file",
        remedy: "put it beside the key with ssh-keygen -y -f \(path) > \(path).pub",
        at: SourceLocation(file: path, line: 1, column: 1))
    }
    guard publicKey.point != nil || publicKey.rsaBits != nil else {
      throw SSHKeyRefusal.unsupported(algorithm: publicKey.algorithm)
    }
    return LockedIdentity(
      purpose: "the key file \(path)", known: [publicKey.text], passphrase: passphrase,
      isWanted: { stanzas in
        stanzas.contains {
          $0.type == publicKey.algorithm && $0.arguments.first == publicKey.tag
        }
      },
      unlock: { answer in
        do throws(SSHKeyRefusal) {
          return .identities([try identity(key.key(passphrase: answer))])
        } catch .wrongPassphrase {
          return .wrongPassphrase
        } catch {
          return .problem(.key(error.reason))
        }
      })
  }

  private static func identity(
    _ key: any SSHPrivateKey
  ) throws(SSHKeyRefusal) -> any AgeIdentity {
    if let identity = SSHEd25519Identity(key) { return identity }
    if let identity = SSHRSAIdentity(key) { return identity }
    throw .unsupported(algorithm: SSHPublicKey(blob: key.publicBlob)?.algorithm)
  }
}

extension SSHKeyRefusal {
  fileprivate var reason: String {
    switch self {
    case .malformed: "it is no private key, or a damaged one"
    case .wrongPassphrase: "its passphrase is wrong"
    case .cipher(let name): "it is locked with \(name ?? "a cipher"), which is not supported"
    case .unsupported(let name): "a key of the sort \(name ?? "it is") cannot decrypt"
    case .weak(let bits): "an RSA key of \(bits) bits is too weak"
    }
  }
}
