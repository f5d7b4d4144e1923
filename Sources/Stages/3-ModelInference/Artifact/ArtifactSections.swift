internal import TradingTypes

/// The header and the section table of an artifact, verified, and the readers of its sections.
struct ArtifactSections {
  private struct Entry {
    var kind: ArtifactFormat.Section
    var number: Int
    var range: Range<Int>

    var name: String { "\(kind) section \(number)" }
  }

  private let bytes: ArtifactBytes
  private let entries: [Entry]

  init(_ bytes: ArtifactBytes) throws(ArtifactError) {
    self.bytes = bytes
    func refused(_ section: String, _ offset: Int, _ expected: String) -> ArtifactError {
      ArtifactError(file: bytes.name, section: section, offsetBytes: offset, expected: expected)
    }
    guard bytes.count >= ArtifactFormat.headerBytes, bytes.count <= ArtifactFormat.fileBytesMax else {
      throw refused(
        "file", 0, "\(ArtifactFormat.headerBytes) to \(ArtifactFormat.fileBytesMax) bytes, not \(bytes.count)")
    }
    guard bytes.load(UInt64.self, at: 0) == ArtifactFormat.magic else {
      throw refused("header", 0, "the magic MARTLETM")
    }
    guard bytes.load(UInt32.self, at: 8) == ArtifactFormat.version else {
      throw refused("header", 8, "version \(ArtifactFormat.version), not \(bytes.load(UInt32.self, at: 8))")
    }
    guard bytes.load(UInt32.self, at: 60) == bytes.checksum(0..<60) else {
      throw refused("header", 60, "the checksum of the header")
    }
    guard bytes.load(UInt64.self, at: 24) == UInt64(bytes.count) else {
      throw refused("header", 24, "a file of \(bytes.load(UInt64.self, at: 24)) bytes, not \(bytes.count)")
    }
    guard (44..<60).allSatisfy({ bytes.load(UInt8.self, at: $0) == 0 }) else {
      throw refused("header", 44, "reserved bytes of 0")
    }
    let sectionCount = Int(bytes.load(UInt32.self, at: 12))
    let tableEnd = ArtifactFormat.headerBytes + sectionCount * ArtifactFormat.entryBytes
    guard sectionCount >= 1, sectionCount <= ArtifactFormat.sectionCountMax, tableEnd <= bytes.count else {
      throw refused("header", 12, "1 to \(ArtifactFormat.sectionCountMax) sections, not \(sectionCount)")
    }
    guard bytes.load(UInt32.self, at: 32) == bytes.checksum(ArtifactFormat.headerBytes..<tableEnd) else {
      throw refused("header", 32, "the checksum of the section table")
    }

    var entries: [Entry] = []
    var end = tableEnd
    for place in 0..<sectionCount {
      let at = ArtifactFormat.headerBytes + place * ArtifactFormat.entryBytes
      func refusedEntry(_ field: Int, _ expected: String) -> ArtifactError {
        refused("section table", at + field, expected)
      }
      guard let kind = ArtifactFormat.Section(rawValue: bytes.load(UInt32.self, at: at)) else {
        throw refusedEntry(0, "a known kind of section")
      }
      let offset = bytes.load(UInt64.self, at: at + 8)
      let length = bytes.load(UInt64.self, at: at + 16)
      let aligned =
        (end + ArtifactFormat.alignmentBytes - 1) / ArtifactFormat.alignmentBytes * ArtifactFormat.alignmentBytes
      guard offset == UInt64(aligned), aligned <= bytes.count else {
        throw refusedEntry(8, "offset \(aligned), not \(offset)")
      }
      guard length >= 1, length <= UInt64(bytes.count - aligned) else {
        throw refusedEntry(16, "a length within the file, not \(length)")
      }
      guard bytes.load(UInt32.self, at: at + 28) == 0 else { throw refusedEntry(28, "reserved bytes of 0") }
      guard (end..<aligned).allSatisfy({ bytes.load(UInt8.self, at: $0) == 0 }) else {
        throw refused("padding", end, "zero bytes before section \(place)")
      }
      let entry = Entry(
        kind: kind, number: Int(bytes.load(UInt32.self, at: at + 4)), range: aligned..<(aligned + Int(length)))
      guard bytes.load(UInt32.self, at: at + 24) == bytes.checksum(entry.range) else {
        throw refused(entry.name, aligned, "the checksum of the section")
      }
      entries.append(entry)
      end = entry.range.upperBound
    }
    guard end == bytes.count else {
      throw refused("section table", ArtifactFormat.headerBytes, "the last section to end the file")
    }
    self.entries = entries
  }

  /// Where the golden rows start.
  var goldenOffset: Int { entries.first { $0.kind == .golden }?.range.lowerBound ?? 0 }

  private func reader(_ entry: Entry) -> SectionReader {
    SectionReader(bytes, section: entry.name, range: entry.range)
  }

  /// `FeatureSlot.schemaHash` as the writer knew it, or 0.
  var catalogueHash: UInt64 { bytes.load(UInt64.self, at: 36) }

  private func only(_ kind: ArtifactFormat.Section, _ number: Int) throws(ArtifactError) -> SectionReader {
    let found = entries.filter { $0.kind == kind && $0.number == number }
    guard found.count == 1 else {
      throw ArtifactError(
        file: bytes.name, section: "section table", offsetBytes: ArtifactFormat.headerBytes,
        expected: "one \(kind) section, number \(number)")
    }
    return reader(found[0])
  }

  /// Everything but the golden rows, with every rule of it checked.
  func model() throws(ArtifactError) -> EnsembleModel {
    var metadata = try only(.metadata, 0)
    var features = try only(.features, 0)
    var model = EnsembleModel(features: try features.featureNames(), members: [], metadata: try metadata.metadata())
    guard bytes.load(UInt64.self, at: 16) == model.schemaHash else {
      throw ArtifactError(
        file: bytes.name, section: "header", offsetBytes: 16,
        expected:
          "the hash \(hexadecimal(model.schemaHash)) of the feature names, not \(hexadecimal(bytes.load(UInt64.self, at: 16)))"
      )
    }
    var table = try only(.members, 0)
    var used = 4
    for (number, entry) in try table.memberEntries().enumerated() {
      model.members.append(try member(number, entry))
      used += entry.sectionCount
    }
    try table.finish()
    if entries.contains(where: { $0.kind == .combiner }) {
      var combiner = try only(.combiner, 0)
      model.combiner = try combiner.combiner()
      try combiner.finish()
      used += 1
    }
    guard used == entries.count else {
      throw ArtifactError(
        file: bytes.name, section: "section table", offsetBytes: 12, expected: "\(used) sections, not \(entries.count)")
    }
    if let fault = model.fault {
      throw ArtifactError(
        file: bytes.name, section: "members", offsetBytes: entries[0].range.lowerBound, expected: fault)
    }
    return model
  }

  private func member(_ number: Int, _ entry: MemberEntry) throws(ArtifactError) -> EnsembleModel.Member {
    guard !entry.isForest else {
      var reader = try only(.forest, number)
      let forest = try reader.forest()
      try reader.finish()
      return EnsembleModel.Member(name: entry.name, kind: .forest(forest), required: entry.required)
    }
    var network = NetworkMember(inputs: entry.inputs, quantised: nil, mode: entry.mode)
    if entry.hasQuantised {
      var reader = try only(.quantised, number)
      network.quantised = try reader.quantisedNetwork()
      try reader.finish()
    }
    if entry.hasFloat {
      var reader = try only(.float, number)
      network.float = try reader.neuralNetwork()
      try reader.finish()
    }
    return EnsembleModel.Member(name: entry.name, kind: .network(network), required: entry.required)
  }

  /// The golden rows, not yet compared.
  func goldenRows(for model: EnsembleModel) throws(ArtifactError) -> GoldenRows {
    var reader = try only(.golden, 0)
    let rows = try reader.goldenRows(for: model)
    try reader.finish()
    return rows
  }
}
