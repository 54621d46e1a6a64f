import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("the inventory's own arguments for the system's ssh")
struct InventoryArgumentsTests {
  @Test("keep their order, without those that would speak against ours")
  func filtering() {
    let call = [
      "-o", "ProxyJump=a", "-J", "b", "-Jc", "-qv", "-Cq", "-i", "q", "-p22", "-4", "--", "host",
    ]
    #expect(
      InventoryArguments(call).list
        == ["-o", "ProxyJump=a", "-C", "-i", "q", "-p22", "-4"])
    #expect(InventoryArguments([]).list.isEmpty)
  }

  @Test("name the same files to an ssh that runs elsewhere", .enabled(if: SSHClient.isAvailable))
  func otherFolder() throws {
    let folder = try ScratchFolder()
    let here = "\(folder.path)/100% mine"
    mkdir(here, 0o700)
    try "Port 2201\n".write(toFile: "\(here)/conf", atomically: false, encoding: .utf8)
    let call = [
      "-F", "conf", "-i", "keys/id", "-oIdentityFile=\"other key\"", "-i", "~/home", "-l", "me",
      "-o", "UserKnownHostsFile known \"more known\" /abs/known", "-o", "IdentityAgent=sock",
      "-oCertificateFile=%d/cert", "-o", "controlpath=none", "-o", "PKCS11Provider=libx.so", "-4",
      "--", "host",
    ]
    let rooted = SSHArgument.rooted(call, in: here)
    let understood = try #require(try SSHClient.understands(rooted))
    #expect(understood["port"] == ["2201"])
    #expect(understood["user"] == ["me"])
    #expect(understood["addressfamily"] == ["inet"])
    #expect(understood["pkcs11provider"] == ["libx.so"])
    // ssh -G shows these before it fills in tokens.
    let plain = here.replacing("%", with: "%%")
    #expect(understood["identityfile"] == ["\(plain)/keys/id", "\(plain)/other key", "~/home"])
    #expect(understood["certificatefile"] == ["%d/cert"])
    #expect(
      understood["userknownhostsfile"] == ["\(here)/known \(here)/more known /abs/known"])
    #expect(understood["identityagent"] == ["\(here)/sock"])
    #expect(understood["controlpath"] == nil || understood["controlpath"] == ["none"])
  }
}
