public import ModelInference
internal import TradingTypes

/// Freezes a model into the bytes of an artifact; `ArtifactFormat` has the layout.
///
/// The same model and rows give the same bytes on every machine.
public enum ArtifactWriter {
  /// The bytes of a sound model, with golden rows answered by the scalar kernels.
  ///
  /// - Parameters:
  ///   - rows: 1 to 4096 rows to carry; choose some with missing slots.
  ///   - name: what errors call the result.
  /// - Throws: `ImportError` for a model that breaks a rule or rows that are not finite.
  public static func freeze(
    _ model: EnsembleModel, rows: [FeatureTable.Row], name: String = "artifact"
  ) throws(ImportError) -> [UInt8] {
    func refused(_ place: String, _ expected: String) -> ImportError {
      ImportError(file: name, place: place, expected: expected)
    }
    if let fault = model.fault { throw refused("model", fault) }
    guard (1...4096).contains(rows.count) else { throw refused("golden rows", "1 to 4096 rows, not \(rows.count)") }
    let golden = answered(rows, by: model)
    guard golden.count == rows.count else { throw refused("golden row \(golden.count)", "finite values") }
    for key in model.metadata.keys.sorted() {
      let isPlain = [key, model.metadata[key]!].allSatisfy { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
      guard isPlain, !key.isEmpty, !key.contains("=") else { throw refused("metadata \(key)", "printable ASCII") }
    }
    guard !model.metadata.isEmpty else { throw refused("metadata", "at least one entry") }

    var sections: [(kind: ArtifactFormat.Section, number: UInt32, bytes: [UInt8])] = []
    sections.append((.metadata, 0, metadata(model.metadata)))
    for (number, member) in model.members.enumerated() {
      switch member.kind {
      case .trees(let trees): sections.append((.trees, UInt32(number), body(trees, required: member.required)))
      case .network(let network):
        sections.append((.network, UInt32(number), body(network, required: member.required)))
      }
    }
    sections.append((.combiner, 0, body(model.combiner)))
    sections.append((.golden, 0, body(golden, memberCount: model.members.count)))
    return file(sections)
  }

  private static func answered(_ rows: [FeatureTable.Row], by model: EnsembleModel) -> [GoldenRow] {
    GoldenRow.answers(rows.map { GoldenRow(values: $0.values, valid: $0.valid) }, of: model)
  }

  private static func file(
    _ sections: [(kind: ArtifactFormat.Section, number: UInt32, bytes: [UInt8])]
  ) -> [UInt8] {
    var table = LittleEndianBytes()
    var body = LittleEndianBytes()
    let tableEnd = ArtifactFormat.headerBytes + sections.count * ArtifactFormat.entryBytes
    for section in sections {
      while (tableEnd + body.bytes.count) % ArtifactFormat.alignmentBytes != 0 { body.append(UInt8(0)) }
      table.append(section.kind.rawValue)
      table.append(section.number)
      table.append(UInt64(tableEnd + body.bytes.count))
      table.append(UInt64(section.bytes.count))
      table.append(ArtifactFormat.checksum(section.bytes))
      table.append(UInt32(0))
      body.bytes += section.bytes
    }
    var header = LittleEndianBytes()
    header.append(ArtifactFormat.magic)
    header.append(ArtifactFormat.version)
    header.append(UInt32(sections.count))
    header.append(FeatureSlot.schemaHash)
    header.append(UInt64(tableEnd + body.bytes.count))
    header.append(ArtifactFormat.checksum(table.bytes))
    while header.bytes.count < 60 { header.append(UInt8(0)) }
    header.append(ArtifactFormat.checksum(header.bytes))
    return header.bytes + table.bytes + body.bytes
  }

  private static func metadata(_ pairs: [String: String]) -> [UInt8] {
    pairs.sorted { $0.key < $1.key }.flatMap { Array("\($0.key)=\($0.value)\n".utf8) }
  }

  private static func body(_ model: TreeModel, required: FeatureMask) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(required)
    out.append(model.zeroIsMissing)
    out.append(UInt32(model.trees.count))
    out.pad(to: 8)
    out.append(model.scale)
    for list in model.thresholds { out.append(UInt8(list.count)) }
    for list in model.thresholds { list.forEach { out.append($0) } }
    for tree in model.trees {
      out.append(UInt32(tree.leaves.count))
      for node in tree.nodes {
        out.append(node.feature)
        out.append(node.bin)
        out.append(UInt16(node.missingGoesRight ? 1 : 0))
        out.append(node.left)
        out.append(node.right)
      }
      out.pad(to: 8)
      tree.leaves.forEach { out.append($0) }
    }
    return out.bytes
  }

  private static func body(_ model: NeuralModel, required: FeatureMask) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(required)
    out.append(UInt32(model.layers.count))
    model.centers.forEach { out.append($0) }
    model.inverseSteps.forEach { out.append($0) }
    for layer in model.layers {
      out.append(UInt32(layer.inputs))
      out.append(UInt32(layer.outputs))
      layer.bias.forEach { out.append($0) }
      layer.scales.forEach { out.append($0) }
      layer.weights.forEach { out.append($0) }
      out.pad(to: 4)
    }
    return out.bytes
  }

  private static func body(_ combiner: CombinerValues) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(UInt32(combiner.averageWeights.count))
    out.pad(to: 8)
    let numbers =
      combiner.averageWeights + combiner.stackWeights + [
        combiner.stackBias, combiner.stackShare, combiner.averageShare, combiner.calibrationSlope,
        combiner.calibrationIntercept,
      ]
    numbers.forEach { out.append($0) }
    return out.bytes
  }

  private static func body(_ rows: [GoldenRow], memberCount: Int) -> [UInt8] {
    var out = LittleEndianBytes()
    out.append(UInt32(rows.count))
    out.append(UInt32(memberCount))
    for row in rows {
      row.values.forEach { out.append($0) }
      out.append(row.valid)
      out.append(row.members)
      row.logits.forEach { out.append($0) }
      out.append(row.probabilityUp)
      out.append(row.confidence)
    }
    return out.bytes
  }
}

/// Bytes that numbers are added to, little-endian. Sections start on a border of 64, so padding counts from their
/// start.
struct LittleEndianBytes {
  var bytes: [UInt8] = []

  mutating func append<I: FixedWidthInteger>(_ integer: I) {
    for shift in stride(from: 0, to: I.bitWidth, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: integer >> I(shift)))
    }
  }

  mutating func append(_ value: Float) { append(value.bitPattern) }
  mutating func append(_ value: Double) { append(value.bitPattern) }
  mutating func append(_ mask: FeatureMask) {
    append(mask.low)
    append(mask.high)
  }

  mutating func pad(to alignment: Int) {
    while bytes.count % alignment != 0 { bytes.append(0) }
  }
}
