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
        "header", 0, "\(ArtifactFormat.headerBytes) to \(ArtifactFormat.fileBytesMax) bytes, not \(bytes.count)")
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
    let schema = bytes.load(UInt64.self, at: 16)
    guard schema == FeatureSlot.schemaHash else {
      throw refused("header", 16, "feature schema \(hexadecimal(FeatureSlot.schemaHash)), not \(hexadecimal(schema))")
    }
    guard bytes.load(UInt64.self, at: 24) == UInt64(bytes.count) else {
      throw refused("header", 24, "a file of \(bytes.load(UInt64.self, at: 24)) bytes, not \(bytes.count)")
    }
    guard (36..<60).allSatisfy({ bytes.load(UInt8.self, at: $0) == 0 }) else {
      throw refused("header", 36, "reserved bytes of 0")
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

  private func only(_ kind: ArtifactFormat.Section) throws(ArtifactError) -> Entry {
    let found = entries.filter { $0.kind == kind }
    guard found.count == 1, found[0].number == 0 else {
      throw ArtifactError(
        file: bytes.name, section: "section table", offsetBytes: ArtifactFormat.headerBytes,
        expected: "one \(kind) section, number 0")
    }
    return found[0]
  }

  /// Everything but the golden rows, with every rule of it checked.
  func model() throws(ArtifactError) -> EnsembleModel {
    var members: [EnsembleModel.Member] = []
    for entry in entries where entry.kind == .trees || entry.kind == .network {
      var reader = reader(entry)
      guard entry.number == members.count else { throw reader.refused("member \(members.count) here") }
      let member = entry.kind == .trees ? try reader.treesMember() : try reader.networkMember()
      try reader.finish()
      if let fault = member.fault {
        throw ArtifactError(
          file: bytes.name, section: entry.name, offsetBytes: entry.range.lowerBound, expected: fault)
      }
      members.append(member)
    }
    var combinerReader = reader(try only(.combiner))
    let combiner = try combinerReader.combiner()
    try combinerReader.finish()
    if let fault = combiner.fault(memberCount: members.count) { throw combinerReader.refused(fault) }
    var metadataReader = reader(try only(.metadata))
    let metadata = try metadataReader.metadata()
    return EnsembleModel(members: members, combiner: combiner, metadata: metadata)
  }

  /// The golden rows, not yet compared.
  func goldenRows(memberCount: Int) throws(ArtifactError) -> [GoldenRow] {
    var reader = reader(try only(.golden))
    let rows = try reader.goldenRows(memberCount: memberCount)
    try reader.finish()
    return rows
  }
}
