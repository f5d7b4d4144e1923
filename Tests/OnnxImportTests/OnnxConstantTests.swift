import Foundation
import ModelImport
import Testing

@testable import OnnxImport

// Goal: numbers come out of a tensor as they went in, of every type, raw or listed. Method: a table of bits and values.
@Suite struct OnnxConstantTests {
  private func tensor(_ type: Constant.Element, _ dims: [Int64], raw: [UInt8]) -> OnnxTensor {
    var tensor = OnnxTensor()
    tensor.dataType = type.rawValue
    tensor.dims = dims
    tensor.rawData = .init(raw)
    return tensor
  }

  @Test(
    arguments: [
      (Constant.Element.float, [0, 0, 0x80, 0x3F, 0, 0, 0x20, 0xC1], [1.0, -10]),
      (.double, [0, 0, 0, 0, 0, 0, 0xF0, 0x3F], [1]),
      (.half, [0, 0x3C, 0, 0xC0, 1, 0, 0xFF, 0x7B], [1, -2, 0x1p-24, 65_504]),
      (.bfloat, [0x80, 0x3F, 0x20, 0xC1], [1, -10]),
      (.uint8, [0, 127, 255], [0, 127, 255]),
      (.int8, [0, 127, 128, 255], [0, 127, -128, -1]),
      (.uint16, [0xFF, 0xFF], [65_535]),
      (.int16, [0xFF, 0xFF], [-1]),
      (.int32, [0xFE, 0xFF, 0xFF, 0xFF], [-2]),
      (.uint32, [0xFE, 0xFF, 0xFF, 0xFF], [4_294_967_294]),
      (.int64, [0xFE, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [-2]),
      (.bool, [0, 1, 2], [0, 1, 1]),
    ] as [(Constant.Element, [UInt8], [Double])])
  func `raw bytes of every type are read`(type: Constant.Element, raw: [UInt8], values: [Double]) throws {
    let constant = try Constant(tensor(type, [Int64(values.count)], raw: raw), name: "t", file: "m")
    #expect(constant.values == values)
    #expect(throws: ImportError.self) {
      try Constant(tensor(type, [Int64(values.count + 1)], raw: raw), name: "t", file: "m")
    }
  }

  @Test func `half precision and bytes are read from their lists too`() throws {
    var half = OnnxTensor()
    half.dataType = Constant.Element.half.rawValue
    half.dims = [2]
    half.int32Data = [0x3C00, 0xC000]
    #expect(try Constant(half, name: "t", file: "m").values == [1, -2])
    var bytes = OnnxTensor()
    bytes.dataType = Constant.Element.int8.rawValue
    bytes.dims = [2]
    bytes.int32Data = [-128, 127]
    #expect(try Constant(bytes, name: "t", file: "m").values == [-128, 127])
  }

  @Test func `views split, swap and join columns without touching rows`() throws {
    let view = View(value: 0, rows: 12, width: 24)
    let split = try #require(view.reshaped([12, 1, 3, 2, 4], rows: 12))
    #expect(split.columnAxes.map(\.stride) == [8, 4, 1])
    let heads = try #require(split.transposed([2, 1, 3, 0, 4]))
    #expect(heads.timeAxis == 3)
    let keys = try #require(heads.sliced(axis: 0, start: 1, count: 1))
    #expect(keys.columnOrder == Array(8..<16))
    #expect(view.reshaped([24, 12], rows: 12) == nil)
    #expect(view.reshaped([6, 48], rows: 12) == nil)
    #expect(heads.reshaped([3, 2, 48], rows: 12) == nil)
  }
}
