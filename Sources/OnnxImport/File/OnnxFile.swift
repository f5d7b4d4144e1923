internal import Foundation
internal import ModelImport
internal import SwiftProtobuf

/// The message a file holds, decoded within bounds: bytes first, then an estimate of the memory that decoding takes.
enum OnnxFile {
  /// Most bytes of a file.
  static let bytesMax = 64 << 20
  /// Most memory that a decoded file may take, by estimate.
  static let memoryMax = 1 << 30

  static func read(_ path: String) throws(ImportError) -> [UInt8] {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path)
    guard attributes?[.type] as? FileAttributeType != .typeDirectory else {
      throw ImportError(file: path, place: "file", expected: "a file, not a directory")
    }
    if let size = attributes?[.size] as? Int, size > bytesMax {
      throw ImportError(file: path, place: "file", expected: "at most \(bytesMax >> 20) MiB, not \(size) bytes")
    }
    guard let data = FileManager.default.contents(atPath: path) else {
      throw ImportError(file: path, place: "file", expected: "a readable file")
    }
    return [UInt8](data)
  }

  static func decode(_ bytes: [UInt8], name: String) throws(ImportError) -> OnnxModel {
    guard bytes.count <= bytesMax else {
      throw ImportError(file: name, place: "file", expected: "at most \(bytesMax >> 20) MiB, not \(bytes.count) bytes")
    }
    guard let memory = WireScan.memory(of: bytes), memory <= memoryMax else {
      throw ImportError(file: name, place: "file", expected: "an ONNX model (protocol buffer) of ordinary proportions")
    }
    var options = BinaryDecodingOptions()
    options.discardUnknownFields = true
    options.messageDepthLimit = 32
    guard let model = try? OnnxModel(serializedBytes: bytes, options: options), model.hasGraph else {
      throw ImportError(file: name, place: "file", expected: "an ONNX model (protocol buffer) with a graph")
    }
    return model
  }
}

/// Walks the fields of a message without keeping anything, to know before decoding how much memory it takes.
///
/// Two bytes can be an empty node, which takes hundreds of bytes once decoded; 64 MiB of them would not fit.
enum WireScan {
  private enum Message { case model, graph, node, attribute, tensor }

  /// An upper estimate of the memory of the decoded model, or nil where the bytes are no message.
  static func memory(of bytes: [UInt8]) -> Int? {
    var total = 0
    // Messages yet to be walked; what lies deeper than these five is charged by its length.
    var open: [(message: Message, range: Range<Int>)] = [(.model, 0..<bytes.count)]
    while let (message, range) = open.popLast() {
      var place = range.lowerBound
      while place < range.upperBound {
        guard let key = varint(bytes, &place, range.upperBound) else { return nil }
        let field = key >> 3
        switch key & 7 {
        case 0:
          guard varint(bytes, &place, range.upperBound) != nil else { return nil }
          total += 16
        case 1: place += 8; total += 16
        case 5: place += 4; total += 16
        case 2:
          guard let length = varint(bytes, &place, range.upperBound), length <= UInt64(range.upperBound - place) else {
            return nil
          }
          let inner = place..<(place + Int(length))
          place = inner.upperBound
          switch (message, field) {
          case (.model, 7): open.append((.graph, inner))
          case (.graph, 1): total += 4_096; open.append((.node, inner))
          case (.graph, 5), (.attribute, 5): total += 1_024; open.append((.tensor, inner))
          case (.node, 5): total += 512; open.append((.attribute, inner))
          case (.tensor, 9), (.attribute, 4): total += 64 + inner.count
          case (.attribute, 9), (.node, _): total += 64 + inner.count
          // Packed numbers of one byte each become eight.
          case (.tensor, 1...11), (.attribute, _): total += 64 + 8 * inner.count
          // Value descriptions, metadata and functions: an empty message in them takes two bytes.
          case (_, 8), (_, 11), (_, 12), (_, 14), (_, 25), (_, 13), (_, 15): total += 256 + 64 * inner.count
          default: total += 64 + inner.count
          }
        default: return nil
        }
        guard place <= range.upperBound, total <= 1 << 40 else { return nil }
      }
    }
    return total
  }

  private static func varint(_ bytes: [UInt8], _ place: inout Int, _ end: Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while place < end, shift < 64 {
      let byte = bytes[place]
      place += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return value }
      shift += 7
    }
    return nil
  }
}
