internal import Foundation
public import TradingTypes

/// Models on disk: names, versions, stages, and a history that cannot be changed unnoticed.
///
/// A change is one line at the end of `history.jsonl`; before the line is whole nothing has happened, after it everything has. The
/// artifact is there before the line that names it. A torn last line is what a crash left: readers pass over it and the next
/// writer cuts it off. Each line carries the hash of the one before, and `models.json` says how far the history went, so
/// that an edited or a shortened one is refused.
///
/// One writer at a time; readers need no lock. Time comes from the caller.
public struct ModelRegistry: ~Copyable {
  /// What the caller wants to do.
  public enum Access: Sendable {
    /// Read; nothing is written, not even to repair.
    case reading
    /// Read and change; takes the lock, cuts off a torn line, renews `models.json`.
    case writing
  }

  static let history = "history.jsonl"
  static let view = "models.json"

  /// What the registry holds.
  public private(set) var state: RegistryState
  /// The folder.
  public var folder: String { files.folder }
  var files: RegistryFiles
  private let lock: Int32?
  private var hasFailed = false

  /// Makes an empty registry in `folder`, which may exist; an existing registry there is left alone.
  public static func create(_ folder: String) throws(GovernanceError) {
    var files = RegistryFiles(folder: folder)
    try files.makeFolders()
    guard !files.exists(history) else { return }
    let lock = try files.lock()
    defer { files.unlock(lock) }
    try files.append([], to: history)
  }

  /// Opens the registry in `folder`, reads its history and checks the artifacts in staging and production.
  ///
  /// - Throws: one line that names the file, and the history's line, and what was expected.
  /// - Complexity: O(bytes of the history and of those artifacts).
  public init(_ folder: String, _ access: Access = .reading) throws(GovernanceError) {
    try self.init(files: RegistryFiles(folder: folder), access)
  }

  init(files: RegistryFiles, _ access: Access) throws(GovernanceError) {
    (state, self.files, lock) = try Self.open(files, access)
  }

  deinit { if let lock { files.unlock(lock) } }

  // MARK: Changing

  /// Registers a version: copies the artifact's bytes in, by content.
  ///
  /// - Returns: the version's number.
  public mutating func add(
    _ name: String, artifact bytes: [UInt8], metadata: [String: String] = [:],
    lineage: ModelLineage = ModelLineage(), by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) -> Int {
    guard !bytes.isEmpty else { throw GovernanceError("\(name): an artifact of at least 1 byte expected") }
    let artifact = ArtifactReference(sha256: Self.sha256(bytes), bytes: bytes.count)
    var event = ModelEvent(
      .registered, model: name, version: (state.model(name)?.versions.count ?? 0) + 1, at: time, actor: actor)
    event.artifact = artifact
    event.metadata = metadata
    event.lineage = lineage
    // Asked first, so that a refused version leaves no bytes behind.
    try check(event)
    if Self.fault(of: artifact, in: files) != nil {
      try changing { (files) throws(GovernanceError) in try files.replace(Self.name(of: artifact), with: bytes) }
    }
    try commit(event)
    return event.version
  }

  /// Keeps what the gates said of a version; an approval of earlier gates falls.
  public mutating func record(
    gates: GateReport, of name: String, version: Int, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) {
    var event = ModelEvent(
      gates.passed ? .gatePassed : .gateFailed, model: name, version: version, at: time, actor: actor)
    event.gates = gates
    try commit(event)
  }

  /// Brings a version into staging.
  public mutating func stage(
    _ name: String, version: Int, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) {
    try commit(ModelEvent(.staged, model: name, version: version, at: time, actor: actor))
  }

  /// Approves a staged version that passed its gates.
  public mutating func approve(
    _ name: String, version: Int, reason: String, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) {
    try commit(ModelEvent(.approved, model: name, version: version, at: time, actor: actor, reason: reason))
  }

  /// Puts a staged, passed and approved version in force, and the one that was in force away.
  public mutating func promote(
    _ name: String, version: Int, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) {
    var event = ModelEvent(.promoted, model: name, version: version, at: time, actor: actor)
    event.formerVersion = state.model(name)?.production
    try commit(event)
  }

  /// Puts the version that was in force before back in force.
  ///
  /// - Returns: its number.
  public mutating func rollBack(
    _ name: String, reason: String? = nil, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) -> Int {
    guard let model = state.model(name) else { throw GovernanceError("\(name): no model of this name") }
    guard let target = model.rollbackTarget else { throw GovernanceError("\(name): no former production version") }
    if let fault = Self.fault(of: model.versions[target - 1].artifact, in: files) { throw GovernanceError(fault) }
    var event = ModelEvent(.rolledBack, model: name, version: target, at: time, actor: actor, reason: reason)
    event.formerVersion = model.production
    try commit(event)
    return target
  }

  /// Puts a version away; one in force leaves its name without any.
  public mutating func archive(
    _ name: String, version: Int, reason: String? = nil, by actor: String? = nil, at time: Timestamp
  ) throws(GovernanceError) {
    try commit(ModelEvent(.archived, model: name, version: version, at: time, actor: actor, reason: reason))
  }

  /// Keeps an event that changes nothing here: a swap, a challenger, a shadow's disagreement, drift.
  public mutating func note(_ event: ModelEvent) throws(GovernanceError) {
    guard !event.kind.changesRegistry else {
      throw GovernanceError("\(event.model): \(event.kind.rawValue) is a change and has a method of its own")
    }
    try commit(event)
  }

  // MARK: Reading

  /// Where a version's artifact lies.
  public func artifactPath(of version: ModelVersion) -> String { files.path(Self.name(of: version.artifact)) }

  /// The events so far, oldest first.
  public func events() throws(GovernanceError) -> [ModelEvent] {
    var events: [ModelEvent] = []
    _ = try Self.replay(try files.read(Self.history, byteCountMax: RegistryFiles.historyByteCountMax), in: files) {
      events.append($0)
    }
    return events
  }

  /// Checks the history and every artifact again; what is wrong, a line each.
  public func faults() -> [String] {
    var faults: [String] = []
    do throws(GovernanceError) {
      let bytes = try files.read(Self.history, byteCountMax: RegistryFiles.historyByteCountMax)
      let (replayed, length) = try Self.replay(bytes, in: files) { _ in }
      if replayed != state { faults.append("\(files.path(Self.history)): it changed after it was opened") }
      if length < bytes.count {
        faults.append("\(files.path(Self.history)): a torn last line, which counts for nothing")
      }
    } catch { faults.append(error.description) }
    var seen: Set<String> = []
    for version in state.models.flatMap(\.versions) where seen.insert(version.artifact.sha256).inserted {
      if let fault = Self.fault(of: version.artifact, in: files) { faults.append(fault) }
    }
    return faults
  }

  /// Artifacts that no version names: what a crash before the history's line leaves. They do no harm.
  public func unnamedArtifacts() -> [String] {
    let named = Set(state.models.flatMap(\.versions).map(\.artifact.sha256))
    return files.names(in: "artifacts").filter { !named.contains($0) && !$0.hasSuffix(".partial") }
  }
}

// MARK: - One change

extension ModelRegistry {
  /// Throws what speaks against an event.
  private func check(_ event: ModelEvent) throws(GovernanceError) {
    var event = event
    event.sequence = state.sequence + 1
    event.previous = state.lineSHA256
    var next = state
    try next.apply(event, lineSHA256: "")
  }

  private mutating func commit(_ event: ModelEvent) throws(GovernanceError) {
    var event = event
    event.sequence = state.sequence + 1
    event.previous = state.lineSHA256
    let line = Array(try event.line().utf8)
    var next = state
    try next.apply(event, lineSHA256: Self.sha256(line))
    let view = Array(try RegistryJSON.text(next).utf8) + [UInt8(ascii: "\n")]
    try changing { (files) throws(GovernanceError) in
      try files.append(line + [UInt8(ascii: "\n")], to: Self.history)
      try files.replace(Self.view, with: view)
    }
    state = next
  }

  /// After a write that failed half way the files are whole, but no longer what is in memory: only opening again says what happened.
  private mutating func changing(
    _ write: (inout RegistryFiles) throws(GovernanceError) -> Void
  ) throws(GovernanceError) {
    guard lock != nil else { throw GovernanceError("\(folder): opened for reading only") }
    guard !hasFailed else { throw GovernanceError("\(folder): a write failed before; open the registry again") }
    hasFailed = true
    try write(&files)
    hasFailed = false
  }

  static func sha256(_ bytes: [UInt8]) -> String {
    var hash = SHA256()
    hash.combine(bytes)
    return hash.hex
  }

  static func name(of artifact: ArtifactReference) -> String { "artifacts/\(artifact.sha256)" }

  static func fault(of artifact: ArtifactReference, in files: RegistryFiles) -> String? {
    let name = name(of: artifact)
    guard let size = files.size(name) else { return "\(files.path(name)): no such file" }
    guard size == artifact.bytes, let bytes = try? files.read(name), sha256(bytes) == artifact.sha256 else {
      return "\(files.path(name)): content of this hash and \(artifact.bytes) bytes expected"
    }
    return nil
  }

  /// The state of a history, and the bytes of its whole lines.
  private static func replay(
    _ bytes: [UInt8], in files: RegistryFiles, _ body: (ModelEvent) -> Void
  ) throws(GovernanceError) -> (RegistryState, length: Int) {
    var state = RegistryState()
    var start = 0
    while let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
      let place = "\(files.path(history)): line \(state.sequence + 1)"
      guard let event = RegistryJSON.value(ModelEvent.self, bytes[start..<end]) else {
        throw GovernanceError("\(place): an event in JSON expected")
      }
      do throws(GovernanceError) {
        try state.apply(event, lineSHA256: sha256(Array(bytes[start..<end])))
      } catch { throw GovernanceError("\(place): \(error)") }
      body(event)
      start = end + 1
    }
    return (state, start)
  }

  private static func open(
    _ files: RegistryFiles, _ access: Access
  ) throws(GovernanceError) -> (RegistryState, RegistryFiles, lock: Int32?) {
    guard files.exists(history) else {
      throw GovernanceError("\(files.folder): a registry expected, \(history) not found")
    }
    let lock = access == .writing ? try files.lock() : nil
    var files = files
    do throws(GovernanceError) {
      return (try load(&files, repairs: lock != nil), files, lock)
    } catch {
      if let lock { files.unlock(lock) }
      throw error
    }
  }

  private static func load(_ files: inout RegistryFiles, repairs: Bool) throws(GovernanceError) -> RegistryState {
    // The view first: a writer that goes on meanwhile is then ahead in the history, never behind.
    let viewed = files.exists(view) ? RegistryJSON.value(RegistryState.self, try files.read(view)) : nil
    let bytes = try files.read(history, byteCountMax: RegistryFiles.historyByteCountMax)
    let (state, length) = try replay(bytes, in: files) { _ in }
    if let viewed, viewed.sequence > state.sequence {
      throw GovernanceError(
        "\(files.path(history)): \(viewed.sequence) lines expected as \(view) says, \(state.sequence) found")
    }
    if let viewed, viewed.sequence == state.sequence, viewed != state {
      throw GovernanceError("\(files.path(history)): the history that \(view) sums up expected, another found")
    }
    let versions = state.models.flatMap(\.versions)
    for version in versions where version.stage == .staging || version.stage == .production {
      if let fault = fault(of: version.artifact, in: files) { throw GovernanceError(fault) }
    }
    guard repairs else { return state }
    for name in files.names(in: "artifacts") where name.hasSuffix(".partial") { files.remove("artifacts/\(name)") }
    if length < bytes.count { try files.cut(history, to: length) }
    if viewed != state, state.sequence > 0 {
      try files.replace(view, with: Array(try RegistryJSON.text(state).utf8) + [UInt8(ascii: "\n")])
    }
    return state
  }
}
