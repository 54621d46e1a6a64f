import TestSupport
import Testing

@testable import HelixSOPS

@Suite("letters that differ only in case")
struct CaseFoldingTests {
  @Test("are those of Unicode's simple folding, as Python knows it")
  func python() throws {
    // Full folding where it is one letter, else the small letter: that is the simple one.
    let script = """
      import unicodedata
      groups = {}
      for code in range(0x110000):
          letter = chr(code)
          if unicodedata.category(letter) in ("Cn", "Cs"): continue
          fold = letter.casefold()
          if len(fold) > 1: fold = letter.lower()
          groups.setdefault(fold if len(fold) == 1 else letter, []).append(code)
      for members in groups.values():
          if len(members) > 1: print(" ".join(map(str, members)))
      """
    let ran = try run("python3", ["-c", script])
    try #require(ran.status == 0, "\(ran.all)")
    let groups = ran.output.split(separator: "\n").map { line in
      line.split(separator: " ").compactMap { UInt32($0) }
    }
    #expect(groups.count > 1300)
    let known = Set(groups.joined())
    for group in groups {
      for member in group {
        // Newer tables than Python's may know further letters.
        let orbit = Set(CaseFolding.orbit(of: member)).intersection(known)
        #expect(orbit == Set(group), "U+\(String(member, radix: 16))")
      }
    }
    for alone: UInt32 in [0x30, 0x130, 0x131, 0x4E00, 0x1F600, 0x10FFFF] {
      #expect(CaseFolding.orbit(of: alone) == [alone])
    }
  }
}
