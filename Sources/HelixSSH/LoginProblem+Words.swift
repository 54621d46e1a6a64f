extension KeyFileProblem {
  /// The same in one line, for lists of what was tried.
  var summary: String {
    switch self {
    case .missing(let path): "\(path): no such file"
    case .unreadable(let path, let reason): "\(path): \(reason)"
    case .tooOpen(let path, let mode): "\(path): mode \(String(mode, radix: 8)) lets others read it"
    case .encrypted(let path, .nobody): "\(path): has a passphrase, and nobody can be asked for it"
    case .encrypted(let path, .declined): "\(path): has a passphrase, which was not given"
    case .wrongPassphrase(let path, let tries): "\(path): \(tries) wrong passphrases"
    case .cipher(let path, let name): "\(path): locked with \(name ?? "an unknown cipher")"
    case .weak(let path, let bits): "\(path): an RSA key of \(bits) bits is too weak"
    case .unsupported(let path, let algorithm):
      "\(path): \(algorithm ?? "other") keys are not supported"
    case .malformed(let path): "\(path): not a private key"
    }
  }

  /// What people read.
  var words: SSHError.Words {
    switch self {
    case .missing, .unreadable, .tooOpen: fileWords
    case .encrypted, .wrongPassphrase, .cipher: lockWords
    case .weak(let path, let bits):
      .init(
        summary: "the private key \(path) is too weak",
        reason: "it is an RSA key of \(bits) bits, and at least \(PrivateKey.leastRSABits) are"
          + " needed",
        remedy: "make a new one: ssh-keygen -t ed25519")
    case .unsupported(let path, let algorithm):
      .init(
        summary: "the private key \(path) is of a sort that cannot be used",
        reason: "it is \(algorithm ?? "neither ed25519 nor ecdsa nor RSA")",
        remedy: "use an ed25519, ecdsa or RSA key")
    case .malformed(let path):
      .init(
        summary: "\(path) is not a private key", reason: "it has neither OpenSSH nor PEM form",
        remedy: "name the file that ssh-keygen wrote, without .pub")
    }
  }

  private var fileWords: SSHError.Words {
    switch self {
    case .unreadable(let path, let reason):
      .init(
        summary: "cannot read the private key \(path)", reason: reason,
        remedy: "check the file and its owner")
    case .tooOpen(let path, let mode):
      .init(
        summary: "the private key \(path) is open to others",
        reason: "its mode is \(String(mode, radix: 8)), so other users of this machine can read it",
        remedy: "chmod 600 \(path)")
    default:
      .init(
        summary: "no private key at \(path)", reason: "it is the key named for this host",
        remedy:
          "name the private key, not its public half, in ansible_ssh_private_key_file; load it"
          + " into an agent; or make one with ssh-keygen -t ed25519")
    }
  }

  private var lockWords: SSHError.Words {
    switch self {
    case .encrypted(_, .declined):
      .init(
        summary: "the private key \(path) has a passphrase",
        reason: "it was asked for, and not given",
        remedy: "type it, or load the key into the agent: ssh-add \(path)")
    case .wrongPassphrase(_, let tries):
      .init(
        summary: "the passphrase of \(path) was wrong",
        reason: "\(tries) tries were made, and none fits",
        remedy: "try it with: ssh-keygen -y -f \(path)")
    case .cipher(_, let name):
      .init(
        summary: "the private key \(path) cannot be unlocked",
        reason: "it is locked with \(name ?? "a cipher that libcrypto does not know")",
        remedy: "load it into the agent: ssh-add \(path), or lock it anew: ssh-keygen -p -Z"
          + " aes256-ctr -f \(path)")
    default:
      .init(
        summary: "the private key \(path) has a passphrase",
        reason: "the agent does not hold it, and there is neither a terminal nor SSH_ASKPASS to ask"
          + " for the passphrase with",
        remedy: "load it into the agent: ssh-add \(path); or run in a terminal")
    }
  }
}

extension SSHError {
  /// Words about logins that keys alone do not explain.
  func loginWords(_ settings: SSHSettings) -> Words {
    switch self {
    case .needsSystem(let reason):
      Words(
        summary: "\(settings.target) can only be reached with the system's ssh", reason: reason,
        remedy: "install OpenSSH's client, and leave out transport: libssh2")
    default:
      Words(
        summary: "the password of \(settings.target) has expired",
        reason: "the server wants a new one before anything else",
        remedy: "log in with ssh and change it")
    }
  }
}

extension LoginAttempts {
  /// The server let nobody in.
  func refusedWords(_ settings: SSHSettings) -> SSHError.Words {
    var reasons: [String] = []
    if !accepted.isEmpty {
      reasons.append("it took \(accepted.joined(separator: ", ")), which is not enough")
    }
    if !refused.isEmpty { reasons.append("it refused \(refused.joined(separator: ", "))") }
    if let farewell { reasons.append("then hung up: \(farewell)") }
    return .init(
      summary: "\(settings.target) refused the login",
      reason: (reasons + rest).joined(separator: "; "), remedy: remedy(settings))
  }

  /// There was nothing to show to the server.
  func noKeysWords(_ settings: SSHSettings) -> SSHError.Words {
    .init(
      summary: "no key to log in to \(settings.target) with",
      reason: (["nothing could be tried"] + rest).joined(separator: "; "),
      remedy: "set ansible_ssh_private_key_file, or load a key into the agent with ssh-add"
        + (takesPassword && settings.password == nil
          ? "; or give the password with --ask-pass or ansible_password" : ""))
  }

  private var rest: [String] {
    (serverTakes.isEmpty ? [] : ["it would take \(serverTakes.joined(separator: ", "))"])
      + (skipped.isEmpty ? [] : ["not tried: \(skipped.joined(separator: "; "))"])
  }

  private var takesPassword: Bool {
    serverTakes.contains(LoginMethod.password.rawValue)
      || serverTakes.contains(LoginMethod.keyboardInteractive.rawValue)
  }

  private func remedy(_ settings: SSHSettings) -> String {
    if farewell != nil, refused.count > 1 {
      return "name the right key with ansible_ssh_private_key_file and -o IdentitiesOnly=yes"
    }
    guard accepted.isEmpty else {
      return takesPassword && settings.password == nil
        ? "give the password with --ask-pass or ansible_password"
        : "check AuthenticationMethods in the host's sshd_config"
    }
    let authorize =
      "add the public key to ~\(settings.user)/.ssh/authorized_keys on the host, or correct"
      + " ansible_user"
    guard takesPassword else { return authorize }
    return settings.password == nil
      ? "\(authorize); or give the password with --ask-pass or ansible_password"
      : "correct the password or ansible_user"
  }
}
