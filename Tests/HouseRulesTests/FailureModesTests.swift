import Foundation
import Testing

/// docs/failure-modes.md names tests and recorded cases; this keeps it from naming what is not there.
@Suite("the page of failure modes can be believed")
struct FailureModesTests {
  /// The failures that have a row: forming to upgrading, and the connection.
  private static let numbers = Array(1...29) + Array(40...47)

  /// Where the cases lie that the page names by their folder.
  private static let cases = [
    "k3s/": "HelixKindsTests/Fixtures/k3s/",
    "system-upgrade/": "HelixKindsTests/Fixtures/system-upgrade/",
    "swap/": "HelixKindsTests/Fixtures/swap/",
    "inventory/": "HelixInventoryTests/Fixtures/",
    "status/": "HelixCLITests/Fixtures/status/cases/",
  ]

  private let tests = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  private let page: String
  private let rows: [(number: Int, cells: [Substring])]

  init() throws {
    let docs = tests.deletingLastPathComponent().appending(path: "docs/failure-modes.md")
    page = try String(contentsOf: docs, encoding: .utf8)
    rows = page.split(separator: "\n").compactMap { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).dropFirst()
        .dropLast()
      guard let first = cells.first, let number = Int(first.trimmingCharacters(in: .whitespaces))
      else { return nil }
      return (number, Array(cells))
    }
  }

  @Test("every failure has one row, and every row all its cells")
  func whole() {
    #expect(rows.map(\.number) == Self.numbers)
    for row in rows {
      let blank = row.cells.contains { $0.trimmingCharacters(in: .whitespaces).isEmpty }
      #expect(row.cells.count == 5 && !blank, "row \(row.number)")
    }
  }

  @Test("every test that the page names exists, with its sentence")
  func namedTests() throws {
    let named = page.matches(of: /`([A-Za-z0-9\/]+\.swift)` "([^"]+)"/)
    #expect(named.count > 40)
    for match in named {
      let file = tests.appending(path: String(match.1))
      let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
      let sentence = try Regex(
        #"@Test\(\s*"\#(NSRegularExpression.escapedPattern(for: String(match.2)))""#)
      let isThere = text.contains(sentence)
      #expect(isThere, "\(match.1) has no test \"\(match.2)\"")
    }
  }

  @Test(
    "every case that the page names exists, and every row shows something or says that it does not")
  func namedCases() {
    for row in rows {
      let shown = row.cells.last ?? ""
      var count = shown.matches(of: /\.swift` "/).count
      for match in shown.matches(of: /`([a-z0-9-]+\/)([a-z0-9\/-]+)`/) {
        let folder = Self.cases[String(match.1)].map { $0 + match.2 } ?? "of no kind"
        let path = tests.appending(path: folder).path
        #expect(
          FileManager.default.fileExists(atPath: path), "row \(row.number): no case \(match.0)")
        count += 1
      }
      #expect(count > 0 || shown.contains("no test"), "row \(row.number) shows nothing")
    }
  }
}
