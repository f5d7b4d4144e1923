public import ModelInference
internal import TradingTypes

/// Freezes a model into the bytes of an artifact; `ArtifactFormat` has the layout.
///
/// The same model and rows give the same bytes on every machine. Trees are written in order (`DecisionForest.inOrder`).
public enum ArtifactWriter {
  private typealias Section = (kind: ArtifactFormat.Section, number: Int, bytes: [UInt8])

  /// The bytes of a sound model, with golden rows answered by the scalar kernels.
  ///
  /// - Parameters:
  ///   - golden: Float, `[features]` each, NaN where there is no value: at least a window, in the order of time. Choose
  ///     some with missing values.
  ///   - leafNumbers: whether the trainer's numbers of the leaves are kept, for `--leaves`.
  ///   - name: what errors call the result.
  /// - Throws: `ImportError` for a model that breaks a rule, or rows that do not fit.
  public static func freeze(
    _ model: EnsembleModel, golden rows: [[Float]], leafNumbers: Bool = true, name: String = "artifact"
  ) throws(ImportError) -> [UInt8] {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: name, place: place, expected: expected)
    }
    if let fault = model.fault { throw refused("model", fault) }
    guard (model.window...GoldenRows.rowCountMax).contains(rows.count) else {
      throw refused("golden rows", "\(model.window) to \(GoldenRows.rowCountMax) rows, not \(rows.count)")
    }
    for (number, row) in rows.enumerated() {
      guard row.count == model.features.count, row.allSatisfy({ $0.isFinite || $0.isNaN }) else {
        throw refused("golden row \(number)", "\(model.features.count) finite values or gaps")
      }
    }
    for (key, value) in model.metadata.sorted(by: { $0.key < $1.key }) {
      let isPlain = [key, value].allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
      guard isPlain, !key.isEmpty, !key.contains("=") else { throw refused("metadata \(key)", "printable ASCII") }
    }
    guard !model.metadata.isEmpty else { throw refused("metadata", "at least one entry") }

    let answered = GoldenRows(rows.map { $0.map { $0.isNaN ? .nan : $0 } }, answeredBy: model)
    if let fault = Self.referenceFault(of: answered, in: model) {
      throw refused("golden rows", "\(fault): the kernels of this build are wrong")
    }
    var sections: [Section] = []
    sections.append((.metadata, 0, lines(model.metadata.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })))
    sections.append((.features, 0, lines(model.features)))
    sections.append((.members, 0, table(model.members)))
    for (number, member) in model.members.enumerated() {
      sections += bodies(of: member, number, leafNumbers: leafNumbers)
    }
    if let combiner = model.combiner { sections.append((.combiner, 0, body(combiner))) }
    sections.append((.golden, 0, body(answered)))
    let bytes = file(sections, model)
    guard bytes.count <= ArtifactFormat.fileBytesMax else {
      throw refused("model", "at most \(ArtifactFormat.fileBytesMax) bytes, not \(bytes.count)")
    }
    return bytes
  }

  /// The first answer of a member that the plain loops do not repeat, in words, or nil.
  ///
  /// Kernels compared with their own answers would agree in a common fault for ever: here the answers are made. Trees are
  /// compared on every row, a network in 8-bit integers on the last window (its plain loops are slow).
  static func referenceFault(of golden: GoldenRows, in model: EnsembleModel) -> String? {
    for (number, answer) in golden.answers.enumerated() {
      let window = golden.rows[number..<(number + model.window)]
      var first = 0
      for (place, member) in model.members.enumerated() {
        let raw = answer.raw[first..<(first + member.outputCount)]
        first += member.outputCount
        guard answer.members >> UInt32(place) & 1 == 1 else { continue }
        let expected: [Double]
        switch member.kind {
        case .forest(let forest): expected = forest.rawReference(window[window.endIndex - 1])
        case .network(let network):
          guard let quantised = network.quantised, number == golden.answers.count - 1 else { continue }
          let rows = window.suffix(member.window).map { row in network.inputs.map { row[$0] } }
          expected = quantised.predictReference(rows).map { Double($0) }
        }
        guard Array(raw) == expected.map(\.bitPattern) else {
          return "the bits of the reference in golden answer \(number) of member \(member.name)"
        }
      }
    }
    return nil
  }

  private static func file(_ sections: [Section], _ model: EnsembleModel) -> [UInt8] {
    var table = LittleEndianBytes()
    var body = LittleEndianBytes()
    let tableEnd = ArtifactFormat.headerBytes + sections.count * ArtifactFormat.entryBytes
    for section in sections {
      while (tableEnd + body.bytes.count) % ArtifactFormat.alignmentBytes != 0 { body.append(UInt8(0)) }
      table.append(section.kind.rawValue)
      table.append(UInt32(section.number))
      table.append(UInt64(tableEnd + body.bytes.count))
      table.append(UInt64(section.bytes.count))
      table.append(ArtifactFormat.checksum(section.bytes))
      table.append(UInt32(0))
      body.bytes += section.bytes
    }
    let slots = Set(FeatureSlot.allCases.map(\.name))
    var header = LittleEndianBytes()
    header.append(ArtifactFormat.magic)
    header.append(ArtifactFormat.version)
    header.append(UInt32(sections.count))
    header.append(model.schemaHash)
    header.append(UInt64(tableEnd + body.bytes.count))
    header.append(ArtifactFormat.checksum(table.bytes))
    header.append(model.features.contains(where: slots.contains) ? FeatureSlot.schemaHash : 0)
    while header.bytes.count < 60 { header.append(UInt8(0)) }
    header.append(ArtifactFormat.checksum(header.bytes))
    return header.bytes + table.bytes + body.bytes
  }

  private static func lines(_ list: [String]) -> [UInt8] { list.flatMap { Array("\($0)\n".utf8) } }

  private static func table(_ members: [EnsembleModel.Member]) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(UInt32(members.count))
    for member in members {
      var inputs: [Int] = []
      switch member.kind {
      case .forest:
        out.append(UInt8(1))
        out.append(UInt8(0))
      case .network(let network):
        out.append(UInt8((network.quantised == nil ? 0 : 2) | (network.float == nil ? 0 : 4)))
        out.append(network.mode.rawValue)
        inputs = network.inputs
      }
      out.append(UInt16(member.name.utf8.count))
      out.append(UInt16(member.required.count))
      out.append(UInt16(inputs.count))
      out.bytes += Array(member.name.utf8)
      (member.required + inputs).forEach { out.append(UInt16($0)) }
    }
    return out.bytes
  }

  private static func bodies(of member: EnsembleModel.Member, _ number: Int, leafNumbers: Bool) -> [Section] {
    switch member.kind {
    case .forest(let forest):
      var out = LittleEndianBytes()
      out.append(forest, leafNumbers: leafNumbers)
      return [(.forest, number, out.bytes)]
    case .network(let network):
      var sections: [Section] = []
      if let quantised = network.quantised {
        var out = LittleEndianBytes()
        out.append(quantised)
        sections.append((.quantised, number, out.bytes))
      }
      if let float = network.float {
        var out = LittleEndianBytes()
        out.append(float)
        sections.append((.float, number, out.bytes))
      }
      return sections
    }
  }

  private static func body(_ combiner: CombinerValues) -> [UInt8] {
    var out = LittleEndianBytes()
    let (code, numbers): (UInt32, [Double]) =
      switch combiner.calibration {
      case .identity: (0, [])
      case .platt(let slope, let intercept): (1, [slope, intercept])
      case .isotonic(let x, let y): (2, x + y)
      }
    out.append(UInt32(combiner.averageWeights.count))
    out.append(code)
    out.append(UInt32(numbers.count))
    switch combiner.stack {
    case .logistic: out.append(UInt32(0))
    case .forest: out.append(UInt32(1))
    }
    (combiner.averageWeights + [combiner.stackShare, combiner.averageShare] + numbers).forEach { out.append($0) }
    switch combiner.stack {
    case .logistic(let weights, let bias): (weights + [bias]).forEach { out.append($0) }
    case .forest(let forest): out.append(forest, leafNumbers: false)
    }
    return out.bytes
  }

  private static func body(_ golden: GoldenRows) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(UInt32(golden.rows.count))
    out.append(UInt32(golden.answers.count))
    for row in golden.rows { row.forEach { out.append($0) } }
    out.pad(to: 8)
    for answer in golden.answers {
      answer.raw.forEach { out.append($0) }
      out.append(answer.members)
      out.append(UInt32(0))
      out.append(answer.probabilityUp)
      out.append(answer.confidence)
    }
    return out.bytes
  }
}
