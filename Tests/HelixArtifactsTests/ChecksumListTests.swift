import HelixModel
import Testing

@testable import HelixArtifacts

private let sum = String(repeating: "0123456789abcdef", count: 4)
private let other = String(repeating: "f", count: 64)

@Suite("lists of checksums")
struct ChecksumListTests {
  @Test("a list gives the sum of each file it names")
  func reads() throws {
    let list = try ChecksumList("\(sum)  k3s\n\(other) *k3s-airgap-images-amd64.tar.gz\n")
    #expect(list["k3s"] == sum)
    #expect(list["k3s-airgap-images-amd64.tar.gz"] == other)
    #expect(list["k3"] == nil)
    #expect(list.files == ["k3s", "k3s-airgap-images-amd64.tar.gz"])
  }

  @Test(
    "anything else makes the whole list worthless",
    arguments: [
      ("", 1), ("\n", 1), ("\(sum)  k3s", 1), ("<html></html>\n", 1), ("\(sum) k3s\n", 1),
      ("\(sum)  k3s\n\n", 2), ("\(sum)  k3s\n\(sum.dropLast())  a\n", 2),
      ("\(sum.uppercased())  k3s\n", 1), ("\(sum)0  k3s\n", 1), ("\(sum)  \n", 1),
      ("\(sum)  ../k3s\n", 1), ("\(sum)  a b\n", 1), ("\\\(sum)  k3s\n", 1),
      ("\(sum)  k3s\r\n", 1), ("\(sum)  k3s\n\(other)  k3s\n", 2),
    ])
  func malformed(text: String, line: Int) {
    #expect(throws: ChecksumList.Malformed(line: line)) { try ChecksumList(text) }
  }

  @Test("a line that stands twice with one sum does no harm")
  func twice() throws {
    #expect(try ChecksumList("\(sum)  k3s\n\(sum)  k3s\n")["k3s"] == sum)
  }
}

@Suite("the k3s binary for a machine")
struct K3sReferenceTests {
  private let version = K3sVersion(major: 1, minor: 29, patch: 1, build: 2)

  @Test(
    "each architecture has its file and its list",
    arguments: [
      ("x86_64", "k3s", "sha256sum-amd64.txt"), ("aarch64", "k3s-arm64", "sha256sum-arm64.txt"),
      ("armv7l", "k3s-armhf", "sha256sum-arm.txt"),
      ("s390x", "k3s-s390x", "sha256sum-s390x.txt"),
    ])
  func known(machine: String, file: String, checksums: String) {
    #expect(
      ArtifactReference.k3s(version, machine: machine)
        == ArtifactReference(release: "v1.29.1+k3s2", file: file, checksums: checksums))
  }

  @Test("no release has one for other machines", arguments: ["", "riscv64", "i686", "ppc64le"])
  func unknown(machine: String) {
    #expect(ArtifactReference.k3s(version, machine: machine) == nil)
  }
}
