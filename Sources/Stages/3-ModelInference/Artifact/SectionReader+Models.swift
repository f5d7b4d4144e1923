/// A member as the table of members has it.
struct MemberEntry {
  var name: String
  var isForest: Bool
  var hasQuantised: Bool
  var hasFloat: Bool
  var mode: NetworkState.Mode
  var required: [Int]
  var inputs: [Int]

  /// Sections its forms take.
  var sectionCount: Int { isForest ? 1 : (hasQuantised ? 1 : 0) + (hasFloat ? 1 : 0) }
}

// The bodies of the smaller sections; `ArtifactWriter` has the other side of each.
extension SectionReader {
  /// A line of text, its newline taken.
  private mutating func line() throws(ArtifactError) -> [UInt8] {
    var line: [UInt8] = []
    while true {
      let byte = try integer(UInt8.self, "a newline")
      if byte == 0x0A { return line }
      line.append(byte)
    }
  }

  /// Lines `key=value` in printable ASCII, keys ascending, each ended by a newline.
  mutating func metadata() throws(ArtifactError) -> [String: String] {
    var pairs: [String: String] = [:]
    var last = ""
    while offset < end {
      let start = offset
      let line = try line()
      func refusedLine(_ expected: String) -> ArtifactError {
        ArtifactError(file: bytes.name, section: section, offsetBytes: start, expected: expected)
      }
      guard line.allSatisfy({ (0x20...0x7E).contains($0) }) else { throw refusedLine("printable ASCII") }
      guard let split = line.firstIndex(of: UInt8(ascii: "=")), split > 0 else { throw refusedLine("key=value") }
      let key = String(decoding: line[..<split], as: UTF8.self)
      guard last < key else { throw refusedLine("keys in ascending order") }
      pairs[key] = String(decoding: line[(split + 1)...], as: UTF8.self)
      last = key
    }
    return pairs
  }

  /// A name a line.
  mutating func featureNames() throws(ArtifactError) -> [String] {
    var names: [String] = []
    while offset < end {
      guard let name = String(validating: try line(), as: UTF8.self), name.isFeatureName else {
        throw refused("a name of 1 to 128 bytes of UTF-8 without control characters")
      }
      names.append(name)
    }
    return names
  }

  /// member count u32; of each: form u8 (bit 0 forest, bit 1 8-bit network, bit 2 network in single precision), mode
  /// u8, bytes of the name u16, required u16, inputs u16, the name, then required features and inputs (u16).
  mutating func memberEntries() throws(ArtifactError) -> [MemberEntry] {
    let memberCount = try count(1...EnsembleModel.memberCountMax, "a number of members")
    var members: [MemberEntry] = []
    for _ in 0..<memberCount {
      let form = try integer(UInt8.self, "the form of a member")
      guard form == 1 || form == 2 || form == 4 || form == 6 else { throw refused("a forest or a network") }
      guard let mode = NetworkState.Mode(rawValue: try integer(UInt8.self, "a mode")) else {
        throw refused("a mode of 0 or 1")
      }
      guard form != 1 || mode == .windowed else { throw refused("mode 0 of a forest") }
      let byteCount = try integer(UInt16.self, "the length of a name")
      let requiredCount = try integer(UInt16.self, "a number of required features")
      let inputCount = try integer(UInt16.self, "a number of inputs")
      guard form != 1 || inputCount == 0 else { throw refused("no inputs of a forest") }
      var text: [UInt8] = []
      for _ in 0..<byteCount { text.append(try integer(UInt8.self, "a name")) }
      guard let name = String(validating: text, as: UTF8.self), name.isFeatureName else {
        throw refused("a name of 1 to 128 bytes of UTF-8 without control characters")
      }
      var required: [Int] = []
      for _ in 0..<requiredCount { required.append(Int(try integer(UInt16.self, "a required feature"))) }
      var inputs: [Int] = []
      for _ in 0..<inputCount { inputs.append(Int(try integer(UInt16.self, "an input"))) }
      members.append(
        MemberEntry(
          name: name, isForest: form == 1, hasQuantised: form & 2 != 0, hasFloat: form & 4 != 0, mode: mode,
          required: required, inputs: inputs))
    }
    return members
  }

  /// member count u32, calibration u32 (0 identity, 1 Platt, 2 isotonic), numbers of it u32, stack u32 (0 logistic,
  /// 1 forest); doubles: average weights, both shares, the calibration; then the stack's weights and bias, or a forest.
  mutating func combiner() throws(ArtifactError) -> CombinerValues {
    let memberCount = try count(1...Combiner.capacity, "a number of members")
    let calibrationCode = try count(0...2, "a calibration")
    let numberCount = try count(0...(2 * Calibration.knotsMax), "numbers of the calibration")
    let stackCode = try count(0...1, "a stack")
    var averageWeights: [Double] = []
    for _ in 0..<memberCount { averageWeights.append(try double("an average weight")) }
    let stackShare = try double("the share of the stack")
    let averageShare = try double("the share of the average")
    var numbers: [Double] = []
    for _ in 0..<numberCount { numbers.append(try double("a number of the calibration")) }
    let calibration: Calibration
    switch (calibrationCode, numberCount) {
    case (0, 0): calibration = .identity
    case (1, 2): calibration = .platt(slope: numbers[0], intercept: numbers[1])
    case (2, _) where numberCount % 2 == 0:
      calibration = .isotonic(x: Array(numbers[..<(numberCount / 2)]), y: Array(numbers[(numberCount / 2)...]))
    default: throw refused("as many numbers as the calibration has")
    }
    let stack: CombinerValues.Stack
    if stackCode == 0 {
      var weights: [Double] = []
      for _ in 0..<memberCount { weights.append(try double("a stack weight")) }
      stack = .logistic(weights: weights, bias: try double("the bias"))
    } else {
      stack = .forest(try forest())
    }
    return CombinerValues(
      averageWeights: averageWeights, stack: stack, stackShare: stackShare, averageShare: averageShare,
      calibration: calibration)
  }

  /// row count u32, answer count u32; the rows (f32, the quiet NaN where there is no value), padding to 8; of each
  /// answer: raw scores (bits, u64), members u32, 0 u32, probability and confidence (bits, u64).
  mutating func goldenRows(for model: EnsembleModel) throws(ArtifactError) -> GoldenRows {
    let rowCount = try count(model.window...GoldenRows.rowCountMax, "a number of golden rows")
    let answerCount = rowCount - model.window + 1
    _ = try count(answerCount...answerCount, "a number of golden answers")
    var rows: [[Float]] = []
    for _ in 0..<rowCount {
      var row: [Float] = []
      for _ in model.features {
        let value = Float(bitPattern: try integer(UInt32.self, "a value"))
        guard value.isFinite || value.bitPattern == Float.nan.bitPattern else {
          throw refused("a finite value or the quiet NaN")
        }
        row.append(value)
      }
      rows.append(row)
    }
    try padding(to: 8)
    let rawCount = model.members.reduce(0) { $0 + $1.outputCount }
    var answers: [GoldenRows.Answer] = []
    for _ in 0..<answerCount {
      var raw: [UInt64] = []
      for _ in 0..<rawCount { raw.append(try integer(UInt64.self, "a raw score")) }
      let members = try integer(UInt32.self, "the members")
      try zero(UInt32.self)
      let probability = try integer(UInt64.self, "a probability")
      let confidence = try integer(UInt64.self, "a confidence")
      answers.append(
        GoldenRows.Answer(raw: raw, members: members, probabilityUp: probability, confidence: confidence))
    }
    return GoldenRows(rows: rows, answers: answers)
  }
}
