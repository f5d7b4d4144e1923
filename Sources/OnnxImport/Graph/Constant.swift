internal import Foundation
internal import ModelImport

/// A tensor whose numbers are known: an initialiser, or what was computed from initialisers.
///
/// Numbers are kept as Double, which holds every single precision number and every integer up to 2^53.
struct Constant: Equatable {
  /// ONNX's element types, as far as numbers go.
  enum Element: Int32 {
    case float = 1
    case uint8, int8, uint16, int16, int32, int64
    case bool = 9
    case half, double, uint32, uint64
    case bfloat = 16

    var isFloat: Bool { self == .float || self == .half || self == .double || self == .bfloat }

    /// What a whole number of the type reaches.
    var range: ClosedRange<Double> {
      switch self {
      case .uint8: 0...255
      case .int8: -128...127
      case .uint16: 0...65_535
      case .int16: -32_768...32_767
      case .bool: 0...1
      case .uint32: 0...4_294_967_295
      case .int32: -2_147_483_648...2_147_483_647
      default: -9.2e18...9.2e18
      }
    }
  }

  /// How the numbers were quantised, where they come from a DequantizeLinear node.
  struct Quantisation: Equatable {
    var scales: [Double]
    var zeroPoints: [Double]
    /// The axis that `scales` run along; any where there is one scale.
    var axis: Int
  }

  /// Most numbers of one tensor.
  static let countMax = 1 << 24

  var element: Element
  var dims: [Int]
  var values: [Double]
  var quantisation: Quantisation?

  init(_ element: Element, _ dims: [Int], _ values: [Double]) {
    self.element = element
    self.dims = dims
    self.values = values
  }

  /// Whole numbers in a row.
  static func list(_ values: [Int]) -> Constant { Constant(.int64, [values.count], values.map { Double($0) }) }

  var count: Int { values.count }
  var floats: [Float] { values.map { Float($0) } }
  /// The numbers as whole ones, held within what an Int can be.
  var integers: [Int] {
    values.map { $0.isNaN ? 0 : Int(min(max($0, -9.0e18), 9.0e18)) }
  }
  /// The only number, where there is one.
  var scalar: Double? { count == 1 ? values[0] : nil }

  /// The number of entries that dims describe, or nil where that is too many.
  static func size(_ dims: [Int]) -> Int? {
    var size = 1
    for dim in dims {
      guard dim >= 0, dim <= countMax else { return nil }
      size *= dim
      guard size <= countMax else { return nil }
    }
    return size
  }

  /// Rounds to what the element type can hold, as arithmetic in that type would.
  func rounded() -> Constant {
    var result = self
    switch element {
    case .float, .half, .bfloat: result.values = values.map { Double(Float($0)) }
    case .bool: result.values = values.map { $0 != 0 ? 1 : 0 }
    case .double: break
    default:
      let range = element.range
      result.values = values.map {
        $0.isNaN ? 0 : min(max($0.rounded(.towardZero), range.lowerBound), range.upperBound)
      }
    }
    return result
  }
}

extension Constant {
  /// The tensor a message holds.
  init(_ tensor: OnnxTensor, name: String, file: String) throws(ImportError) {
    func refused(_ expected: String) -> ImportError {
      ImportError(file: file, place: "tensor '\(name)'", expected: expected)
    }
    guard tensor.dataLocation == 0, tensor.externalData.isEmpty else {
      throw refused("the numbers inside the file; it keeps them in another one: save without external data")
    }
    guard let element = Element(rawValue: tensor.dataType) else {
      throw refused("numbers of type float, double, float16, bfloat16, bool or an integer, not type \(tensor.dataType)")
    }
    let dims = tensor.dims.map { Int(clamping: $0) }
    guard let size = Self.size(dims) else { throw refused("at most \(Self.countMax) numbers") }
    var values: [Double]
    if !tensor.rawData.isEmpty {
      guard let read = Self.raw(tensor.rawData, element), read.count == size else {
        throw refused("\(size) numbers of type \(element) in \(tensor.rawData.count) raw bytes")
      }
      values = read
    } else {
      switch element {
      case .float: values = tensor.floatData.map { Double($0) }
      case .double: values = tensor.doubleData
      case .int64: values = tensor.int64Data.map { Double($0) }
      case .uint32, .uint64: values = tensor.uint64Data.map { Double($0) }
      case .half:
        values = tensor.int32Data.map { Self.half(UInt16(truncatingIfNeeded: $0)) }
      case .bfloat:
        values = tensor.int32Data.map { Double(Float(bitPattern: UInt32(UInt16(truncatingIfNeeded: $0)) << 16)) }
      case .uint8, .int8, .uint16, .int16, .int32, .bool: values = tensor.int32Data.map { Double($0) }
      }
      guard values.count == size else { throw refused("\(size) numbers, not \(values.count)") }
    }
    self.init(element, dims, values)
  }

  private static func raw(_ data: Data, _ element: Element) -> [Double]? {
    let bytes = [UInt8](data)
    func word<W: FixedWidthInteger & UnsignedInteger>(_ type: W.Type, _ place: Int) -> W {
      var value: W = 0
      for index in 0..<(W.bitWidth / 8) { value |= W(truncatingIfNeeded: bytes[place + index]) << W(8 * index) }
      return value
    }
    func all(_ width: Int, _ number: (Int) -> Double) -> [Double]? {
      guard bytes.count % width == 0, bytes.count / width <= countMax else { return nil }
      return stride(from: 0, to: bytes.count, by: width).map(number)
    }
    switch element {
    case .float: return all(4) { Double(Float(bitPattern: word(UInt32.self, $0))) }
    case .double: return all(8) { Double(bitPattern: word(UInt64.self, $0)) }
    case .half: return all(2) { half(word(UInt16.self, $0)) }
    case .bfloat: return all(2) { Double(Float(bitPattern: UInt32(word(UInt16.self, $0)) << 16)) }
    case .uint8: return all(1) { Double(bytes[$0]) }
    case .bool: return all(1) { bytes[$0] != 0 ? 1 : 0 }
    case .int8: return all(1) { Double(Int8(bitPattern: bytes[$0])) }
    case .uint16: return all(2) { Double(word(UInt16.self, $0)) }
    case .int16: return all(2) { Double(Int16(bitPattern: word(UInt16.self, $0))) }
    case .uint32: return all(4) { Double(word(UInt32.self, $0)) }
    case .int32: return all(4) { Double(Int32(bitPattern: word(UInt32.self, $0))) }
    case .uint64: return all(8) { Double(word(UInt64.self, $0)) }
    case .int64: return all(8) { Double(Int64(bitPattern: word(UInt64.self, $0))) }
    }
  }

  /// Half precision, IEEE 754 binary16; `Float16` is not there on every platform.
  static func half(_ bits: UInt16) -> Double {
    let sign: Double = bits >> 15 == 1 ? -1 : 1
    let exponent = Int(bits >> 10 & 31)
    let fraction = Double(bits & 1023)
    switch exponent {
    case 0: return sign * fraction * 0x1p-24
    case 31: return fraction == 0 ? sign * .infinity : .nan
    default: return sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}
