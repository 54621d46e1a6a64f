import ArgumentParser
import Foundation
import HelixModel
import HelixSOPS

/// How a file is read.
struct FormatOptions: ParsableArguments {
  @Option(
    help: "The format where the file's name does not say it: yaml, json, dotenv, ini, binary.")
  var inputType: SOPSFormat?

  func format(of path: String) -> SOPSFormat { inputType ?? SOPSFormat(path: path) }
}

extension SOPSFormat: ExpressibleByArgument {}

/// Where the estate is, for commands whose `-i` is another's.
struct EstateOptions: ParsableArguments {
  @Option(
    name: .customLong("inventory"), help: "The inventory folder.", completion: .directory)
  var folder = ProjectOptions.defaultInventory
}

extension Console {
  func answer(bytes: [UInt8]) { answer(Data(bytes)) }
}
