internal import Foundation

/// Why a model or a table was refused: one line that names the file, the place in it and what was expected.
public struct ImportError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The file, or what its text was called.
  public var file: String
  /// Line, tree, layer or column.
  public var place: String
  /// What should have been there.
  public var expected: String

  /// A refusal.
  public init(file: String, place: String, expected: String) {
    self.file = file
    self.place = place
    self.expected = expected
  }

  /// The line.
  public var description: String { "\(file): \(place): expected \(expected)" }
}

extension ImportError {
  /// Most bytes of a file that is read: the largest forests that can be imported are below.
  public static let fileBytesMax = 512 << 20

  /// Reads a file whole.
  static func bytes(_ path: String) throws(ImportError) -> [UInt8] {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType != .typeDirectory else {
      throw ImportError(file: path, place: "file", expected: "a file, not a directory")
    }
    if let size = attributes?[.size] as? Int, size > fileBytesMax {
      throw ImportError(file: path, place: "file", expected: "at most \(fileBytesMax >> 20) MiB, not \(size) bytes")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ImportError(file: path, place: "file", expected: "a readable file")
    }
    return [UInt8](data)
  }

  /// Reads a file whole, as text.
  static func text(_ path: String) throws(ImportError) -> String {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      throw ImportError(file: path, place: "file", expected: "a readable text file in UTF-8")
    }
    return text
  }
}
