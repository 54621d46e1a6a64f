// swift-tools-version: 6.1

import PackageDescription

/// Flags every target compiles with; docs/decisions/0003-strict-flags.md says why each is on.
let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .unsafeFlags(["-warnings-as-errors"]),
]

let argumentParser: Target.Dependency = .product(
  name: "ArgumentParser", package: "swift-argument-parser")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let cryptoExtras: Target.Dependency = .product(name: "CryptoExtras", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let yams: Target.Dependency = .product(name: "Yams", package: "Yams")

/// A room: a library target with the strict flags.
func room(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

/// The tests of one room; what lies aside is read from the source tree, so nothing is copied.
func tests(
  of name: String, _ dependencies: [Target.Dependency] = [], aside: [String] = []
) -> Target {
  .testTarget(
    name: "\(name)Tests", dependencies: [.init(stringLiteral: name)] + dependencies,
    exclude: aside, swiftSettings: strict)
}

let package = Package(
  name: "helix-infra",
  platforms: [.macOS(.v15)],
  products: [.executable(name: "helix-infra", targets: ["helix-infra"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", exact: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", exact: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", exact: "1.16.2"),
    .package(url: "https://github.com/jpsim/Yams", exact: "6.2.2"),
  ],
  targets: [
    .executableTarget(name: "helix-infra", dependencies: ["HelixCLI"], swiftSettings: strict),
    room(
      "HelixCLI",
      [
        "HelixAge", "HelixArtifacts", "HelixInventory", "HelixKinds", "HelixModel", "HelixPlan",
        "HelixPlaybooks", "HelixRun", "HelixSecrets", "HelixSOPS", "HelixSSH", argumentParser,
        logging,
      ]),
    room("HelixTemplates", ["HelixModel"]),
    room("HelixInventory", ["HelixModel", "HelixTemplates", yams]),
    room("HelixPlaybooks", ["HelixModel", "HelixTemplates", "HelixInventory", yams]),
    room("HelixPlan", ["HelixModel"]),
    room("HelixKinds", ["HelixModel", "HelixPlan"]),
    room("HelixRun", ["HelixModel", "HelixPlan"]),
    room("HelixSSH", ["HelixModel", "CLibSSH2"]),
    room("HelixAge", ["HelixModel", crypto, cryptoExtras]),
    room("HelixSOPS", ["HelixModel", "HelixAge", crypto, yams]),
    room("HelixSecrets", ["HelixModel", "HelixAge", "HelixSOPS", crypto]),
    room("HelixArtifacts", ["HelixModel", crypto]),
    room("HelixModel"),
    tests(
      of: "HelixAge",
      ["HelixModel", "HelixSSH", "TestSupport", "FuzzTargets", "age-speed", crypto],
      aside: ["Fixtures"]),
    tests(of: "HelixArtifacts", ["HelixModel", "TestSupport", crypto]),
    tests(
      of: "HelixCLI",
      [
        "HelixKinds", "HelixModel", "HelixPlan", "HelixRun", "HelixSSH", "TestSupport",
        "helix-infra",
      ],
      aside: ["Fixtures", "Scripts"]),
    tests(of: "HelixInventory", ["HelixModel", "TestSupport"], aside: ["Fixtures"]),
    tests(
      of: "HelixKinds", ["HelixModel", "HelixPlan", "HelixRun", "TestSupport"], aside: ["Fixtures"]),
    tests(of: "HelixPlan", ["HelixModel", "TestSupport"]),
    tests(
      of: "HelixPlaybooks", ["HelixModel", "HelixTemplates", "HelixInventory", "TestSupport"],
      aside: ["Fixtures"]),
    tests(of: "HelixRun", ["HelixModel", "HelixPlan"], aside: ["Fixtures"]),
    tests(of: "HelixSSH", ["HelixModel", "TestSupport"], aside: ["Fixtures"]),
    tests(of: "HelixSecrets", ["HelixModel", "TestSupport"]),
    tests(
      of: "HelixSOPS", ["HelixModel", "HelixAge", "TestSupport", yams],
      aside: ["Fixtures", "Reference"]),
    tests(of: "HelixTemplates", ["HelixModel", "TestSupport"], aside: ["Fixtures"]),
    .testTarget(name: "HouseRulesTests", swiftSettings: strict),
    .testTarget(
      name: "LabTests", dependencies: ["helix-infra", "TestSupport"], swiftSettings: strict),
    .executableTarget(
      name: "planner-scale", dependencies: ["HelixCLI", "HelixModel", "HelixPlan", "HelixSecrets"],
      path: "Benchmarks/PlannerScale", swiftSettings: strict),
    .executableTarget(
      name: "age-speed", dependencies: ["HelixAge", "HelixModel"], path: "Benchmarks/AgeSpeed",
      exclude: ["measure.py"], swiftSettings: strict),
    .executableTarget(
      name: "fuzz-secrets", dependencies: ["FuzzTargets"], path: "Tests/Fuzz/FuzzSecrets",
      swiftSettings: strict),
    .target(
      name: "FuzzTargets", dependencies: ["HelixAge", "HelixModel", "HelixSOPS"],
      path: "Tests/Fuzz/Targets", swiftSettings: strict),
    .executableTarget(
      name: "send-file", dependencies: ["HelixModel", "HelixSSH"], path: "Benchmarks/SendFile",
      swiftSettings: strict),
    .target(name: "TestSupport", path: "Tests/TestSupport", swiftSettings: strict),
    .systemLibrary(
      name: "CLibSSH2", pkgConfig: "libssh2",
      providers: [.apt(["libssh2-1-dev"]), .brew(["libssh2"])]),
  ],
  swiftLanguageModes: [.v6]
)
