import CTool
import CZstd
import Foundation
import MarketIngest

/// The bytes of an input: a file or standard input (`-`), decompressed where they are gzip or zstd.
///
/// The first bytes say what an input is, its name does not.
enum InputBytes {
  /// How an input is compressed.
  enum Compression: String {
    case gzip
    case zstd

    /// What the first bytes say; nil for an input that is neither.
    init?(magic bytes: [UInt8]) {
      if bytes.starts(with: [0x1F, 0x8B]) {
        self = .gzip
      } else if bytes.starts(with: [0x28, 0xB5, 0x2F, 0xFD])
        || (bytes.first ?? 0) & 0xF0 == 0x50 && bytes.dropFirst().starts(with: [0x2A, 0x4D, 0x18])
      {
        // The second is a skippable frame: pzstd and seekable files begin with one.
        self = .zstd
      } else {
        return nil
      }
    }

    /// The library that reads it, and the Debian package that brings it.
    var library: (name: String, package: String) {
      self == .gzip ? ("zlib", "zlib1g-dev") : ("zstd", "libzstd-dev")
    }
  }

  /// Decompressed inputs may not be longer: a guard against decompression bombs.
  static let decompressedByteCountMax = 16 << 30

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
    let bytes = [UInt8](raw)
    return try Compression(magic: bytes).map { try decompress(bytes, $0, path: path) } ?? bytes
  }

  private static func decompress(_ bytes: [UInt8], _ compression: Compression, path: String) throws -> [UInt8] {
    var result: UnsafeMutablePointer<UInt8>?
    var length = 0
    // The array stays where it is during the call.
    let status =
      switch compression {
      case .gzip: unsafe martlet_gunzip(bytes, bytes.count, decompressedByteCountMax, &result, &length)
      case .zstd: unsafe martlet_unzstd(bytes, bytes.count, decompressedByteCountMax, &result, &length)
      }
    switch status {
    case 0:
      // On success the shim gave us `length` bytes, ours to free.
      defer { unsafe free(result) }
      return unsafe [UInt8](UnsafeBufferPointer(start: result, count: length))
    case 1:
      let library = compression.library
      throw ToolFailure.badInput(
        "\(path): compressed by \(compression), and \(library.name) was not found when this tool was built "
          + "(Debian package \(library.package)); decompress the file first")
    case 3: throw ToolFailure.badInput("\(path): not enough memory to decompress it")
    case 4: throw ToolFailure.badInput("\(path): more than \(decompressedByteCountMax) bytes when decompressed")
    case 5: throw ToolFailure.badInput("\(path): zstd data with a window above 128 MiB")
    default: throw ToolFailure.badInput("\(path): damaged or truncated \(compression) data")
    }
  }
}
