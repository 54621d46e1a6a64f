private import ArgumentParser
private import HelixCLI

@main
enum Entry {
  static func main() async { await HelixInfra.main() }
}
