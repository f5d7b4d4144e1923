internal import ModelInference

/// The lines of a LightGBM text model, and its blocks of `key=value`.
struct LightGBMLines {
  private let bytes: [UInt8]
  private let name: String
  private var ranges: [Range<Int>] = []

  init(_ bytes: [UInt8], name: String) {
    self.bytes = bytes
    self.name = name
    var start = 0
    for (place, byte) in bytes.enumerated() where byte == 0x0A {
      ranges.append(start..<place)
      start = place + 1
    }
    if start < bytes.count { ranges.append(start..<bytes.count) }
  }

  /// Lines there are, a last one without an end included.
  var count: Int { ranges.count }

  /// Line `index` without its end, from 0.
  subscript(index: Int) -> String { String(decoding: content(index), as: UTF8.self) }

  /// Without the carriage return that an editor may have put there.
  private func content(_ index: Int) -> ArraySlice<UInt8> {
    let line = bytes[ranges[index]]
    return line.last == 0x0D ? line.dropLast() : line
  }

  func starts(_ index: Int, with prefix: String) -> Bool { content(index).starts(with: prefix.utf8) }

  /// Bytes of lines as LightGBM counts them: one line end each.
  func byteCount(_ range: Range<Int>) -> Int { range.reduce(0) { $0 + content($1).count + 1 } }

  /// The fields from a line on, up to the next tree or the end of the trees.
  func block(from start: Int, place: String) throws(ImportError) -> Block {
    var block = Block(name: name, place: place, next: start)
    while block.next < count, !starts(block.next, with: "Tree="), !starts(block.next, with: "end of trees") {
      let line = content(block.next)
      if !line.isEmpty {
        let split = line.firstIndex(of: 0x3D) ?? line.endIndex
        let key = String(decoding: line[..<split], as: UTF8.self)
        let value = String(decoding: line[split...].dropFirst(), as: UTF8.self)
        guard block.fields.updateValue(value, forKey: key) == nil else {
          throw ImportError(file: name, place: "line \(block.next + 1)", expected: "\(key.prefix(40)) once")
        }
      }
      block.next += 1
    }
    return block
  }

  /// Fields by name; a bare word is a field with an empty value.
  struct Block {
    let name: String
    let place: String
    var fields: [String: String] = [:]
    /// The line after the block.
    var next: Int

    init(name: String, place: String, next: Int) {
      self.name = name
      self.place = place
      self.next = next
    }

    func refused(_ expected: String) -> ImportError { ImportError(file: name, place: place, expected: expected) }

    /// The words of a field, none where it is missing.
    func words(_ key: String) -> [String] { (fields[key] ?? "").utf8.split(separator: 0x20).map { String($0)! } }

    func integer(_ key: String, in range: ClosedRange<Int>) throws(ImportError) -> Int {
      guard let text = fields[key], let value = Int(text), range.contains(value) else {
        throw refused("\(key) from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }

    /// Exactly `count` numbers of a field.
    func numbers<Number>(
      _ key: String, _ count: Int, _ parse: (Substring) -> Number?
    ) throws(ImportError) -> [Number] {
      let words = (fields[key] ?? "").utf8.split(separator: 0x20)
      guard words.count == count else { throw refused("\(count) numbers of \(key), not \(words.count)") }
      var numbers: [Number] = []
      numbers.reserveCapacity(count)
      for word in words {
        guard let number = parse(Substring(word)) else {
          throw refused("numbers of \(key), not \(String(Substring(word).prefix(40)))")
        }
        numbers.append(number)
      }
      return numbers
    }
  }
}
