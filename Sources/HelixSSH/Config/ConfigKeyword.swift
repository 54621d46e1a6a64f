/// A keyword of ssh's configuration and what it does here.
struct ConfigKeyword: Sendable {
  typealias Path<Value> = WritableKeyPath<SSHOptions, Value?> & Sendable

  enum Kind: Sendable {
    case host, match, include
    case text(any Path<String>)
    case place(any Path<Located<String>>)
    case flag(any Path<Bool>)
    case time(any Path<Duration>)
    case count(any Path<Int>, least: Int)
    case files(any Path<[Located<String>]>)
    case algorithms(any Path<AlgorithmList>)
    case port, family, checking, keyLogin, alias
    case identity, certificate, proxyCommand, proxyJump
    case loginAlgorithms, leastRSA
    /// Only the system's `ssh` can do it, unless the value is one of these.
    case system(unless: Set<String>)
    /// The same where an argument asks for it; in files it is of no concern for commands.
    case systemIfAsked
    /// Would change what a session is for: of no concern in files, refused as an argument.
    case session
    /// Changes nothing here: we keep our own sessions, log our own way and forward nothing.
    case nothing
  }

  let name: String
  let kind: Kind
}

import HelixModel

extension ConfigKeyword {
  /// The keyword of a name in any case; nil for a name that no version of ssh knows.
  static func named(_ name: String) -> ConfigKeyword? { byName[name.lowercased()] }

  /// All names that are still in use.
  static let names = groups.flatMap(\.names)

  private static let byName: [String: ConfigKeyword] = {
    var table: [String: ConfigKeyword] = [:]
    for (kind, names) in groups {
      for name in names { table[name.lowercased()] = ConfigKeyword(name: name, kind: kind) }
    }
    for (old, name) in aliases {
      if let keyword = table[name.lowercased()] { table[old] = keyword }
    }
    for name in retired { table[name] = ConfigKeyword(name: name, kind: .nothing) }
    return table
  }()

  private static let groups: [(kind: Kind, names: [String])] = [
    (.host, ["Host"]), (.match, ["Match"]), (.include, ["Include"]),
    (.text(\.user), ["User"]), (.port, ["Port"]), (.place(\.hostName), ["HostName"]),
    (.alias, ["HostKeyAlias"]), (.identity, ["IdentityFile"]),
    (.certificate, ["CertificateFile"]), (.flag(\.identitiesOnly), ["IdentitiesOnly"]),
    (.place(\.identityAgent), ["IdentityAgent"]),
    (.files(\.userKnownHosts), ["UserKnownHostsFile"]),
    (.files(\.globalKnownHosts), ["GlobalKnownHostsFile"]),
    (.checking, ["StrictHostKeyChecking"]), (.time(\.connectTimeout), ["ConnectTimeout"]),
    (.count(\.connectionAttempts, least: 1), ["ConnectionAttempts"]),
    (.time(\.aliveInterval), ["ServerAliveInterval"]),
    (.count(\.aliveCount, least: 0), ["ServerAliveCountMax"]), (.family, ["AddressFamily"]),
    (.keyLogin, ["PubkeyAuthentication"]),
    (.flag(\.passwordLogin), ["PasswordAuthentication"]),
    (.flag(\.keyboardLogin), ["KbdInteractiveAuthentication"]),
    (.flag(\.ticketLogin), ["GSSAPIAuthentication"]),
    (.text(\.preferredMethods), ["PreferredAuthentications"]),
    (.algorithms(\.algorithms.hostKey), ["HostKeyAlgorithms"]),
    (.algorithms(\.algorithms.keyExchange), ["KexAlgorithms"]),
    (.algorithms(\.algorithms.cipher), ["Ciphers"]), (.algorithms(\.algorithms.mac), ["MACs"]),
    (.loginAlgorithms, ["PubkeyAcceptedAlgorithms"]), (.leastRSA, ["RequiredRSASize"]),
    (.proxyCommand, ["ProxyCommand"]), (.proxyJump, ["ProxyJump"]),
    (.text(\.ignoreUnknown), ["IgnoreUnknown"]),
    (.system(unless: []), ["BindAddress", "BindInterface", "RefuseConnection"]),
    (
      .system(unless: ["none"]),
      [
        "CanonicalizePermittedCNAMEs", "KnownHostsCommand", "PKCS11Provider", "RevokedHostKeys",
      ]
    ),
    (.system(unless: ["none", "internal"]), ["SecurityKeyProvider"]),
    (
      .system(unless: ["no", "false"]),
      [
        "CanonicalizeHostname", "HostbasedAuthentication", "ProxyUseFdpass", "VerifyHostKeyDNS",
      ]
    ),
    (.systemIfAsked, ["ForwardAgent", "SendEnv", "SetEnv"]),
    (
      .session,
      [
        "DynamicForward", "ForkAfterAuthentication", "LocalCommand", "LocalForward",
        "RemoteCommand", "RemoteForward", "SessionType", "StdinNull", "Tunnel", "TunnelDevice",
      ]
    ),
    (.nothing, withoutEffect),
  ]

  private static let withoutEffect = [
    "AddKeysToAgent", "BatchMode", "CanonicalDomains", "CanonicalizeFallbackLocal",
    "CanonicalizeMaxDots", "CASignatureAlgorithms", "ChannelTimeout", "CheckHostIP",
    "ClearAllForwardings", "Compression", "ControlMaster", "ControlPath", "ControlPersist",
    "EnableEscapeCommandline", "EnableSSHKeysign", "EscapeChar", "ExitOnForwardFailure",
    "FingerprintHash", "ForwardX11", "ForwardX11Timeout", "ForwardX11Trusted", "GatewayPorts",
    "GSSAPIClientIdentity", "GSSAPIDelegateCredentials",
    "GSSAPIKexAlgorithms", "GSSAPIKeyExchange", "GSSAPIRenewalForcesRekey",
    "GSSAPIServerIdentity", "GSSAPITrustDNS", "HashKnownHosts", "HostbasedAcceptedAlgorithms",
    "IPQoS", "KbdInteractiveDevices", "LogLevel", "LogVerbose",
    "NoHostAuthenticationForLocalhost", "NumberOfPasswordPrompts", "ObscureKeystrokeTiming",
    "PermitLocalCommand", "PermitRemoteOpen", "RekeyLimit", "RequestTTY", "StreamLocalBindMask",
    "StreamLocalBindUnlink", "SyslogFacility", "Tag", "TCPKeepAlive", "UpdateHostKeys",
    "VersionAddendum", "VisualHostKey", "WarnWeakCrypto", "XAuthLocation",
  ]

  /// Other names of the same, as OpenSSH still takes them.
  private static let aliases = [
    "challengeresponseauthentication": "KbdInteractiveAuthentication",
    "skeyauthentication": "KbdInteractiveAuthentication",
    "tisauthentication": "KbdInteractiveAuthentication",
    "dsaauthentication": "PubkeyAuthentication", "identityfile2": "IdentityFile",
    "keepalive": "TCPKeepAlive", "smartcarddevice": "PKCS11Provider",
    "hostbasedkeytypes": "HostbasedAcceptedAlgorithms",
    "pubkeyacceptedkeytypes": "PubkeyAcceptedAlgorithms",
    // Debian's old names.
    "protocolkeepalives": "ServerAliveInterval", "setuptimeout": "ServerAliveInterval",
  ]

  /// What OpenSSH once knew and now passes over.
  private static let retired = [
    "protocol", "cipher", "fallbacktorsh", "globalknownhostsfile2", "rhostsauthentication",
    "userknownhostsfile2", "useroaming", "usersh", "useprivilegedport", "afstokenpassing",
    "kerberosauthentication", "kerberostgtpassing", "rsaauthentication",
    "rhostsrsaauthentication", "compressionlevel",
  ]
}
