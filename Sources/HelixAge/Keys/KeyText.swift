package import HelixModel

extension X25519Identity {
  package var keyText: SecretValue? { text }
}

extension HybridIdentity {
  package var keyText: SecretValue? { text }
}
