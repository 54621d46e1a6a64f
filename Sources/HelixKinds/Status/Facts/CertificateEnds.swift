import HelixModel
import HelixPlan

/// When a certificate on a host ends.
struct CertificateEnd: Sendable, Hashable {
  /// Below k3s's data folder: `server/tls/client-admin.crt`.
  var file: String
  /// Seconds since 1970.
  var ends: Int

  /// Whether it is one that k3s does not renew by itself.
  var isCA: Bool { file.hasSuffix("-ca.crt") }
}

/// When the certificates that k3s made on a host end; certificates are no secrets, keys stay.
struct CertificateEnds: Sendable, Hashable {
  /// By file.
  var ends: [CertificateEnd]
  /// Files that hold no certificate that can be read.
  var unreadable: [String]

  /// The one that ends before all others.
  var first: CertificateEnd? { ends.min { ($0.ends, $0.file) < ($1.ends, $1.file) } }

  static let fact = Fact<CertificateEnds>(
    "certificates", command: command, parse: parse,
    summary: { $0.first.map { "\($0.file) ends first" } ?? "none" })

  // The first certificate of a file is its own, those behind it are the ones that vouch for it. They
  // travel as they are: openssl is not on every host, and one awk reads all files.
  private static let command = """
    set --
    for helix_file in \(places.map { "\(K3sPaths.data)/\($0)/*.crt" }.joined(separator: " ")); do
      [ ! -f "$helix_file" ] || set -- "$@" "$helix_file"
    done
    [ $# -eq 0 ] || awk '
      FNR == 1 {
        if (NR > 1) print ""
        printf "certificate %s ", FILENAME; taken = inside = 0
      }
      /-BEGIN CERT/ { inside = !taken; taken = 1; next }
      /-END CERT/ { inside = 0; next }
      inside { sub(/\\r$/, ""); printf "%s", $0 }
      END { if (NR) print "" }' "$@"
    echo asked
    """

  private static let places = [
    "server/tls", "server/tls/etcd", "server/tls/kube-controller-manager",
    "server/tls/kube-scheduler", "agent",
  ]

  @Sendable
  private static func parse(_ answer: FactAnswer) throws(Diagnostic) -> CertificateEnds {
    let lines = FactLines(answer.output)
    guard lines.has("asked") else {
      throw Diagnostic(
        "the host does not say when its certificates end", reason: "its answer broke off")
    }
    var read = CertificateEnds(ends: [], unreadable: [])
    for line in lines.all("certificate") {
      let cells = words(of: line)
      guard let path = cells.first else { continue }
      let file =
        path.hasPrefix(K3sPaths.data + "/") ? path.dropFirst(K3sPaths.data.count + 1) : path[...]
      if cells.count > 1, let ends = Base64.decode(cells[1]).flatMap(X509.notAfter) {
        read.ends.append(CertificateEnd(file: String(file), ends: ends))
      } else {
        read.unreadable.append(String(file))
      }
    }
    read.dropLeftovers()
    return read
  }

  /// Files under names that k3s has given up are renewed by nobody, and nobody reads them.
  private mutating func dropLeftovers() {
    let names = [
      "server/tls/client-cloud-controller.crt": "server/tls/client-k3s-cloud-controller.crt"
    ]
    for (old, new) in names where ends.contains(where: { $0.file == new }) {
      ends.removeAll { $0.file == old }
    }
  }
}

/// As much of X.509 as it takes to learn when a certificate ends.
enum X509 {
  /// The end of a certificate in DER, in seconds since 1970; nil when it is none.
  static func notAfter(_ der: [UInt8]) -> Int? {
    var outer = DERReading(der[...])
    guard var certificate = outer.enter(0x30), var body = certificate.enter(0x30) else {
      return nil
    }
    _ = body.enter(0xA0)  // the version, which the oldest do not have
    // Serial number, algorithm and issuer stand before the two times.
    guard body.enter(0x02) != nil, body.enter(0x30) != nil, body.enter(0x30) != nil,
      var validity = body.enter(0x30), validity.time() != nil
    else { return nil }
    return validity.time()
  }
}

/// Walks through values in DER.
private struct DERReading {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

  /// What is inside of the next value if it has the tag; goes on behind it.
  mutating func enter(_ tag: UInt8) -> DERReading? {
    guard rest.first == tag else { return nil }
    var after = rest.dropFirst()
    guard let first = after.popFirst() else { return nil }
    var length = Int(first)
    if first >= 0x80 {
      let count = Int(first & 0x7F)
      guard (1...3).contains(count), after.count >= count else { return nil }
      length = after.prefix(count).reduce(0) { $0 << 8 | Int($1) }
      after = after.dropFirst(count)
    }
    guard after.count >= length else { return nil }
    rest = after.dropFirst(length)
    return DERReading(after.prefix(length))
  }

  /// The next value as a time, in seconds since 1970.
  mutating func time() -> Int? {
    if let short = enter(0x17) { return short.seconds(yearDigits: 2) }
    return enter(0x18)?.seconds(yearDigits: 4)
  }

  /// `YYMMDDhhmmssZ` or `YYYYMMDDhhmmssZ`.
  private func seconds(yearDigits: Int) -> Int? {
    let digits = rest.dropLast().map { Int($0) - 0x30 }
    guard rest.last == UInt8(ascii: "Z"), digits.count == yearDigits + 10,
      digits.allSatisfy({ (0...9).contains($0) })
    else { return nil }
    var year = digits.prefix(yearDigits).reduce(0) { $0 * 10 + $1 }
    if yearDigits == 2 { year += year < 50 ? 2000 : 1900 }
    let pairs = stride(from: yearDigits, to: digits.count, by: 2).map {
      digits[$0] * 10 + digits[$0 + 1]
    }
    let days = daysSince1970(year: year, month: pairs[0], day: pairs[1])
    return days * 86_400 + pairs[2] * 3600 + pairs[3] * 60 + pairs[4]
  }

  /// In years that begin in March, so that the leap day is the last of its year.
  private func daysSince1970(year: Int, month: Int, day: Int) -> Int {
    let year = month <= 2 ? year - 1 : year
    let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
    return year * 365 + year / 4 - year / 100 + year / 400 + dayOfYear - 719_468
  }
}
