import Foundation
import HelixModel
import TestSupport
import Testing

@testable import HelixSSH

@Suite("where keepers are", .timeLimit(.minutes(1)))
struct KeeperPlaceTests {
  private let scratch: ScratchFolder
  private let place: KeeperPlace

  init() throws {
    scratch = try ScratchFolder()
    place = KeeperPlace(folder: scratch.file("keep"), identity: ["a"])
  }

  private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
  }

  @Test("the folder and the socket are the user's alone from the start")
  func modes() throws {
    try place.prepare()
    let listener = try place.listen()
    defer { close(listener) }
    #expect(mode(place.folder) == 0o700)
    #expect(mode(place.socket) == 0o600)
  }

  @Test("a folder that others can enter is refused, and left as it is")
  func openFolder() throws {
    mkdir(place.folder, 0o755)
    chmod(place.folder, 0o755)
    let error = #expect(throws: Diagnostic.self) { try place.prepare() }
    #expect(error?.reason == "its mode is 755, so others could use them")
    #expect(mode(place.folder) == 0o755)
  }

  @Test("a link in the folder's place is refused")
  func link() throws {
    let other = scratch.file("other")
    mkdir(other, 0o700)
    symlink(other, place.folder)
    let error = #expect(throws: Diagnostic.self) { try place.prepare() }
    #expect(error?.reason == "it is no folder, so others could use them")
  }

  @Test("another user's folder is refused", .enabled(if: geteuid() == 0, "needs root"))
  func foreignFolder() throws {
    mkdir(place.folder, 0o700)
    chown(place.folder, 65534, 65534)
    let error = #expect(throws: Diagnostic.self) { try place.prepare() }
    #expect(error?.reason == "it belongs to user 65534, so others could use them")
  }

  @Test("runs that differ in anything that matters have keepers of their own")
  func identity() {
    let other = KeeperPlace(folder: place.folder, identity: ["b"])
    #expect(other.socket != place.socket)
    #expect(KeeperPlace(folder: place.folder, identity: ["a"]) == place)
    #expect(
      KeeperPlace(folder: place.folder, identity: ["a", "b"])
        != KeeperPlace(folder: place.folder, identity: ["ab"]))
  }

  @Test("a path that no socket can have is an error with the way out")
  func longPath() async throws {
    let deep = KeeperPlace(
      folder: scratch.file(String(repeating: "x", count: 120)), identity: ["a"])
    try deep.prepare()
    await #expect(throws: Diagnostic.self) { try await deep.connect() }
    #expect(throws: Diagnostic.self) { try deep.listen() }
  }

  @Test("a place is known again by its listening socket")
  func known() throws {
    try place.prepare()
    let listener = try place.listen()
    defer { close(listener) }
    #expect(KeeperPlace(listener: listener) == place)
    #expect(KeeperPlace(listener: STDIN_FILENO) == nil)
    #expect(KeeperPlace.all(in: place.folder) == [place])
  }

  @Test("only one at a time may start a keeper")
  func lock() async throws {
    try place.prepare()
    let first = try #require(await place.takeLock(within: .zero))
    #expect(await place.takeLock(within: .milliseconds(30)) == nil)
    close(first)
    let second = try #require(await place.takeLock(within: .zero))
    close(second)
  }

  @Test("settings and paths of a run mean the same in another folder")
  func rooted() {
    var settings = SSHSettings.blank
    settings.identityFiles = ["keys/id", "/abs/id"]
    settings.userKnownHosts = ["known"]
    settings.proxyCommand = "./nc %h"
    settings.systemArguments = ["-F", "conf", "--", "h"]
    settings.jumps = [settings]
    let rooted = settings.rooted(in: "/srv/my estate")
    #expect(rooted.identityFiles == ["/srv/my estate/keys/id", "/abs/id"])
    #expect(rooted.userKnownHosts == ["/srv/my estate/known"])
    #expect(rooted.systemArguments == ["-F", "/srv/my estate/conf", "--", "h"])
    #expect(rooted.jumps.first?.identityFiles == rooted.identityFiles)
    #expect(
      rooted.proxyCommand == #"/bin/sh -c 'cd '\''/srv/my estate'\'' && exec ./nc %h'"#)
  }
}
