import Foundation
import TestSupport
import TradingTypes

/// The bytes of a shared gzip file, inflated by the system's own tool.
enum InflatedFile {
  static func bytes(_ path: String) throws -> [UInt8]? {
    guard let file = SharedData.file(path) else { return nil }
    let tool = Process()
    tool.executableURL = URL(fileURLWithPath: "/bin/gzip")
    tool.arguments = ["-dc", file.path]
    let pipe = Pipe()
    tool.standardOutput = pipe
    try tool.run()
    let data = try pipe.fileHandleForReading.readToEnd() ?? Data()
    tool.waitUntilExit()
    guard tool.terminationStatus == 0 else { throw ConfigurationError("\(path): gzip failed") }
    return [UInt8](data)
  }

  static func exists(_ path: String) -> Bool { SharedData.file(path) != nil }
}
