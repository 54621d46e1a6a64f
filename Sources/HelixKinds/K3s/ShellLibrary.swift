/// Shell functions that facts and waits share; POSIX sh, and each tool has a stand-in where it may be missing.
enum ShellLibrary {
  /// `helix_http HOST PORT PATH` prints the body of a plain HTTP answer.
  static let http = """
    helix_http() {
      if command -v curl >/dev/null 2>&1; then
        curl -fsS --noproxy '*' -m 5 "http://$1:$2$3"
      elif command -v wget >/dev/null 2>&1; then
        wget -q -O - -T 5 -t 1 "http://$1:$2$3"
      else
        timeout 5 bash -c 'exec 3<>"/dev/tcp/$1/$2"
          printf "GET %s HTTP/1.0\\r\\n\\r\\n" "$3" >&3; cat <&3' helix "$1" "$2" "$3"
      fi 2>/dev/null
    }
    """

  /// `helix_ca_hash` reads a CA bundle and prints the hash that k3s puts into its tokens: of the
  /// bytes when it is one certificate, of the root in DER when it is a chain.
  static let caHash = """
    helix_ca_hash() {
      helix_pem=$(cat; printf .)
      helix_pem=${helix_pem%.}
      case $helix_pem in
      *'-BEGIN CERTIFICATE-'*'-BEGIN CERTIFICATE-'*)
        printf '%s' "$helix_pem" | awk '/-BEGIN CERT/ { body = ""; next } /-END CERT/ { next }
          { body = body $0 "\\n" } END { printf "%s", body }' | base64 -d | sha256sum | cut -c1-64 ;;
      *'-BEGIN CERTIFICATE-'*) printf '%s' "$helix_pem" | sha256sum | cut -c1-64 ;;
      *) return 1 ;;
      esac
    }
    """

  /// `helix_token FILE` prints the CA hash and the keyed fingerprint of the password in a token,
  /// never the token.
  static let token = """
    helix_token() {
      helix_rest=$(cat "$1") || return
      helix_hash=
      case $helix_rest in
      K10*::*)
        helix_rest=${helix_rest#K10}
        helix_hash=${helix_rest%%::*}
        helix_rest=${helix_rest#*::}
        case $helix_rest in *:*) helix_rest=${helix_rest#*:} ;; esac ;;
      esac
      printf 'token-ca %s\\n' "$helix_hash"
      printf 'token-password %s\\n' "$(printf '%s' "$helix_rest" | helix_fingerprint)"
    }
    """
}
