import CTool
import Foundation
import MarketIngest

/// The bytes of an input: a file, standard input (`-`), or a gzip file (`.gz`), inflated.
enum InputBytes {
  /// Inflated inputs may not be longer: a guard against decompression bombs.
  static let inflatedByteCountMax = 16 << 30

  /// Reads the whole of `path`.
  static func read(_ path: String) throws -> [UInt8] {
    let raw: Data
    if path == "-" {
      raw = FileHandle.standardInput.readDataToEndOfFile()
    } else {
      let url = URL(fileURLWithPath: path)
      guard FileManager.default.fileExists(atPath: path) else { throw ToolFailure.badInput("\(path): no such file") }
      let isFolder = (try? url.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
      guard !isFolder else { throw ToolFailure.badInput("\(path): a file expected, a folder found") }
      // Through a handle, so that pipes and devices are read like files.
      guard let handle = FileHandle(forReadingAtPath: path), let data = try? handle.readToEnd() ?? Data() else {
        throw ToolFailure.badInput("\(path): not readable")
      }
      raw = data
    }
    return path.hasSuffix(".gz") ? try inflate([UInt8](raw), path: path) : [UInt8](raw)
  }

  private static func inflate(_ bytes: [UInt8], path: String) throws -> [UInt8] {
    var result: UnsafeMutablePointer<UInt8>?
    var length = 0
    // The array stays where it is during the call.
    let status = unsafe martlet_gunzip(bytes, bytes.count, inflatedByteCountMax, &result, &length)
    switch status {
    case 0:
      // On success the shim gave us `length` bytes, ours to free.
      defer { unsafe free(result) }
      return unsafe [UInt8](UnsafeBufferPointer(start: result, count: length))
    case 1: throw ToolFailure.badInput("\(path): zlib was not found when this tool was built; inflate the file first")
    case 3: throw ToolFailure.badInput("\(path): not enough memory to inflate it")
    case 4: throw ToolFailure.badInput("\(path): inflates to more than \(inflatedByteCountMax) bytes")
    default: throw ToolFailure.badInput("\(path): damaged or truncated gzip data")
    }
  }
}
