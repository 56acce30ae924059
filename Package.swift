// swift-tools-version: 6.2
import PackageDescription

/// Set by Tests/Fuzz/run.sh alone: every module is then instrumented for libFuzzer, and the fuzz targets exist.
let fuzzing = Context.environment["COUNTERSIGN_FUZZ"] != nil
let sanitizers = ["-sanitize=fuzzer,address"]

/// Every target of ours is built alike: Swift 6, pointers only where the code says `unsafe`,
/// imports that do not leak, and warnings that stop the build where `CI` is set.
let settings: [SwiftSetting] =
  [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
  ] + (Context.environment["CI"] == nil ? [] : [.treatAllWarnings(as: .error)])
  + (fuzzing ? [.unsafeFlags(sanitizers)] : [])

func source(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .target(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

func test(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name, dependencies: dependencies, swiftSettings: settings)
}

let package = Package(
  name: "countersign",
  products: [.executable(name: "countersign", targets: ["countersign"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.2.0"),
  ],
  targets: [
    .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CPCRE2", pkgConfig: "libpcre2-8", providers: [.apt(["libpcre2-dev"])]),
    .systemLibrary(name: "CLinux"),

    source("Patterns", ["CPCRE2"]),
    source("AccessPolicy", ["Patterns"]),
    source("AuditLog", ["AccessPolicy"]),
    source(
      "GatewayConfiguration",
      ["AccessPolicy", "Patterns", .product(name: "Yams", package: "Yams")], exclude: ["REFERENCE.md"]),
    source("TLSEngine", ["COpenSSL", "AccessPolicy"]),
    source("EventLoop", ["CLinux"]),
    source(
      "DataPlane",
      ["Patterns", "AccessPolicy", "AuditLog", "GatewayConfiguration", "TLSEngine", "EventLoop"]),
    source(
      "ControlPlane",
      ["AccessPolicy", "AuditLog", "GatewayConfiguration", "TLSEngine", "EventLoop", "DataPlane", "CLinux"]),
    source("Workbench", ["AccessPolicy", "AuditLog", "GatewayConfiguration", "Patterns"]),
    .executableTarget(
      name: "countersign",
      dependencies: [
        "AccessPolicy", "AuditLog", "GatewayConfiguration", "TLSEngine", "EventLoop", "DataPlane",
        "ControlPlane", "Workbench",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: settings),

    test("PatternsTests", ["Patterns"]),
    test("AccessPolicyTests", ["AccessPolicy", "Patterns"]),
    test("AuditLogTests", ["AuditLog", "AccessPolicy"]),
    test("GatewayConfigurationTests", ["GatewayConfiguration", "AccessPolicy"]),
    test("TLSEngineTests", ["TLSEngine", "AccessPolicy"]),
    test("EventLoopTests", ["EventLoop"]),
    test(
      "DataPlaneTests",
      ["DataPlane", "AccessPolicy", "AuditLog", "GatewayConfiguration", "TLSEngine", "EventLoop"]),
    test("WorkbenchTests", ["Workbench", "AccessPolicy", "AuditLog", "GatewayConfiguration"]),
    test(
      "ControlPlaneTests",
      [
        "ControlPlane", "DataPlane", "AccessPolicy", "AuditLog", "GatewayConfiguration", "TLSEngine",
        "EventLoop",
      ]),
  ]
)

/// A libFuzzer program.
func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(
    name: name, dependencies: dependencies + ["FuzzSupport"], path: "Tests/Fuzz/\(name)",
    swiftSettings: settings + [.unsafeFlags(["-parse-as-library"])],
    linkerSettings: [.unsafeFlags(sanitizers + ["-use-ld=lld"])])
}

if fuzzing {
  package.targets += [
    .systemLibrary(name: "CLibFuzzer", path: "Tests/Fuzz/CLibFuzzer"),
    .target(
      name: "FuzzSupport", dependencies: ["AccessPolicy", "CLibFuzzer"], path: "Tests/Fuzz/Support",
      swiftSettings: settings),
    fuzz("FuzzConfiguration", ["GatewayConfiguration", "AccessPolicy"]),
    fuzz("FuzzPolicyFile", ["GatewayConfiguration", "AccessPolicy"]),
    fuzz("FuzzPatterns", ["Patterns"]),
    fuzz("FuzzFactTexts", ["AccessPolicy"]),
    fuzz("FuzzCertificate", ["TLSEngine", "AccessPolicy", "COpenSSL"]),
    fuzz("FuzzProxyHeader", ["DataPlane", "EventLoop"]),
    fuzz("FuzzPostgres", ["DataPlane", "AccessPolicy"]),
    fuzz("FuzzMySQL", ["DataPlane", "AccessPolicy"]),
    fuzz("FuzzRecord", ["AuditLog", "AccessPolicy"]),
  ]
}

if Context.environment["COUNTERSIGN_BENCHMARKS"] != nil {
  package.targets.append(
    .executableTarget(
      name: "PolicyBenchmark", dependencies: ["AccessPolicy", "GatewayConfiguration"],
      path: "Tests/Benchmarks/PolicyBenchmark", swiftSettings: settings))
  package.targets.append(
    .executableTarget(
      name: "HandshakeBenchmark", dependencies: ["AccessPolicy", "TLSEngine"],
      path: "Tests/Benchmarks/HandshakeBenchmark", swiftSettings: settings))
  package.targets.append(
    .executableTarget(
      name: "ReviewBenchmark",
      dependencies: [
        "AccessPolicy", "AuditLog", "DataPlane", "EventLoop", "GatewayConfiguration", "TLSEngine",
      ],
      path: "Tests/Benchmarks/ReviewBenchmark", swiftSettings: settings))
  package.targets.append(
    .executableTarget(
      name: "ReplayBenchmark",
      dependencies: [
        "AccessPolicy", "AuditLog", "ControlPlane", "EventLoop", "GatewayConfiguration", "TLSEngine",
        "Workbench",
      ],
      path: "Tests/Benchmarks/ReplayBenchmark", swiftSettings: settings))
  package.targets.append(
    .executableTarget(
      name: "VerificationBenchmark", dependencies: ["AccessPolicy", "TLSEngine"],
      path: "Tests/Benchmarks/VerificationBenchmark", swiftSettings: settings))
}
