import FixtureStreams
import Foundation
import TestSupport

/// The built `martlet`, run as a child process.
enum Tool {
  /// Beside the test bundle, which is where SwiftPM puts all products.
  static let url: URL? = {
    let beside = Bundle.allBundles.map { $0.bundleURL.deletingLastPathComponent() }
    let own = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath().deletingLastPathComponent()
    return ([own] + beside).map { $0.appendingPathComponent("martlet") }.first {
      FileManager.default.isExecutableFile(atPath: $0.path)
    }
  }()

  /// What a run left behind.
  struct Outcome {
    var code: Int32
    var output: Data
    var error: String

    var text: String { String(decoding: output, as: UTF8.self) }
    var lines: [Substring] { text.split(separator: "\n") }
    var errorLines: [Substring] { error.split(separator: "\n") }
    func object() throws -> [String: Any] {
      try JSONSerialization.jsonObject(with: output) as? [String: Any] ?? [:]
    }
  }

  /// Runs the tool with `arguments`; `input` becomes its standard input.
  static func run(_ arguments: [String], input: URL? = nil) throws -> Outcome {
    try run(executable: url ?? URL(fileURLWithPath: "/nonexistent"), arguments, input: input)
  }

  /// Output of any executable through files, so that no pipe can fill up.
  static func run(executable: URL, _ arguments: [String], input: URL? = nil) throws -> Outcome {
    let folder = try Folder()
    let (output, error) = (folder.file("stdout"), folder.file("stderr"))
    for file in [output, error] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = executable
    process.arguments = arguments
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: error)
    process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return Outcome(
      code: process.terminationStatus, output: try Data(contentsOf: output),
      error: try String(contentsOf: error, encoding: .utf8))
  }

  /// A gzip file, inflated by the system's own tool.
  static func inflated(_ file: URL) throws -> Data {
    try run(executable: URL(fileURLWithPath: "/bin/gzip"), ["-dc", file.path]).output
  }
}

/// A folder of a test's own, gone with it.
final class Folder {
  let url: URL

  init() throws {
    url = FileManager.default.temporaryDirectory.appendingPathComponent("martlet-tool-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(at: url) }

  func file(_ name: String) -> URL { url.appendingPathComponent(name) }

  /// Writes `bytes` to a file called `name`; its path.
  func write(_ bytes: [UInt8], _ name: String) throws -> String {
    try Data(bytes).write(to: file(name))
    return file(name).path
  }
}

/// A generated day that the tests share.
enum Fixture {
  static let symbols = 3
  static let messages = 4_000
  static let bytes = ItchFixture(ItchFixture.Parameters(seed: 3, messages: messages, symbols: symbols)).generate()
}
