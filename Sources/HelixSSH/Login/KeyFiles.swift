import HelixModel

/// Key files, each read once, and unlocked once, for all hosts.
actor KeyFiles {
  /// How often somebody may mistype a passphrase.
  fileprivate static let tries = 3

  /// Somebody is being asked for a passphrase, or was.
  private struct Unlocking {
    let task: Task<Result<PrivateKey, KeyFileProblem>, Never>
    var waiting = 0
    var isOver = false
  }

  nonisolated let prompter: any Prompter
  private var files: [String: Task<Result<KeyFile?, KeyFileProblem>, Never>] = [:]
  private var certificates: [String: Task<HostKey?, Never>] = [:]
  private var unlocking: [String: Unlocking] = [:]

  init(prompter: any Prompter) { self.prompter = prompter }

  /// The key in a file; nil when there is no such file.
  func load(_ path: String) async -> Result<KeyFile?, KeyFileProblem> {
    if let reading = files[path] { return await reading.value }
    let reading = Task { await blocking { KeyFile.load(path) } }
    files[path] = reading
    return await reading.value
  }

  /// What a certificate file holds; nil when it cannot be read.
  func certificate(in path: String) async -> HostKey? {
    if let reading = certificates[path] { return await reading.value }
    let reading = Task { await blocking { KeyFile.publicKey(in: path) } }
    certificates[path] = reading
    return await reading.value
  }

  /// A file's private key; all who wait for it share one question for its passphrase.
  ///
  /// The question ends when nobody waits for its answer any more.
  func unlock(_ file: KeyFile) async -> Result<PrivateKey, KeyFileProblem> {
    let text: KeyText
    switch file.secret {
    case .open(let key): return .success(key)
    case .locked(let locked): text = locked
    case .hardware, .absent: return .failure(.missing(path: file.path))
    }
    var current =
      unlocking[file.path] ?? Unlocking(task: Task { [prompter] in await ask(prompter, text) })
    current.waiting += 1
    unlocking[file.path] = current
    let task = current.task
    let result = await withTaskCancellationHandler {
      await task.value
    } onCancel: {
      Task { await self.leave(file.path) }
    }
    if unlocking[file.path]?.task == task { unlocking[file.path]?.isOver = true }
    return result
  }

  /// Whether a person's answer has to be waited for before a file's key can be used.
  func mustAsk(for file: KeyFile) -> Bool {
    file.isLocked && unlocking[file.path]?.isOver != true
  }

  private func leave(_ path: String) {
    guard var current = unlocking[path] else { return }
    current.waiting -= 1
    unlocking[path] = current
    guard current.waiting == 0 else { return }
    current.task.cancel()
    unlocking[path] = nil
  }
}

/// Asks until a passphrase fits; deriving a key from it is work for another queue.
private func ask(_ prompter: any Prompter, _ text: KeyText) async -> Result<
  PrivateKey, KeyFileProblem
> {
  // OpenSSH's own words: askpass programs look for them.
  var question = "Enter passphrase for key '\(text.path)': "
  for attempt in 1...KeyFiles.tries {
    let passphrase: SecretValue
    do throws(PromptFailure) {
      passphrase = try await prompter.ask(question)
    } catch {
      return .failure(.encrypted(path: text.path, error))
    }
    let opened = await blocking { () -> Result<PrivateKey, KeyText.Refusal> in
      do throws(KeyText.Refusal) {
        return .success(try text.key(passphrase: passphrase))
      } catch {
        return .failure(error)
      }
    }
    switch opened {
    case .success(let key): return .success(key)
    case .failure(.problem(let problem)): return .failure(problem)
    case .failure(.wrongPassphrase) where attempt == KeyFiles.tries: break
    case .failure(.wrongPassphrase):
      question = "Bad passphrase, try again for key '\(text.path)': "
    }
  }
  return .failure(.wrongPassphrase(path: text.path, tries: KeyFiles.tries))
}
