/// Somebody at a terminal who types an answer once, when a prompt has come.
package enum Typist {
  /// Arguments for python3 that run a command at a terminal of its own.
  ///
  /// It prints what the terminal showed and the exit status, before that `mute` when the terminal did
  /// not show what is typed while the command wrote `echoed`.
  package static func arguments(
    typing answer: String, at prompt: String, into command: [String]
  ) -> [String] {
    ["-c", script, prompt, answer] + command
  }

  private static let script = """
    import os, pty, sys, termios
    prompt, answer = (word.encode() for word in sys.argv[1:3])
    pid, terminal = pty.fork()
    if pid == 0: os.execvp(sys.argv[3], sys.argv[3:])
    seen, typed = b"", False
    while True:
        try: some = os.read(terminal, 4096)
        except OSError: break
        if not some: break
        seen += some
        if not typed and prompt in seen:
            os.write(terminal, answer); typed = True
        if b"echoed" in seen and not termios.tcgetattr(terminal)[3] & termios.ECHO: print("mute")
    print(seen.decode(), os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """
}
