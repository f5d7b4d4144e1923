internal import Foundation

/// The registry's files: every write in steps whose order survives a crash between any two of them.
///
/// ```
/// FOLDER/lock                  held by the one writer, by the system, so that it ends with the process
/// FOLDER/history.jsonl         the truth: one event a line, each with the hash of the line before
/// FOLDER/artifacts/SHA256      the models' bytes, by content
/// FOLDER/models.json           what the history sums up to, for readers without this library; replaced whole
/// ```
struct RegistryFiles: Sendable {
  /// A history may not be longer.
  static let historyByteCountMax = 256 << 20

  let folder: String
  /// Steps done so far.
  private(set) var stepCount = 0
  /// Where a test lets the machine stop: before this step, a write half done.
  var stopsAtStep: Int?

  init(folder: String) { self.folder = folder }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func exists(_ name: String) -> Bool { FileManager.default.fileExists(atPath: path(name)) }

  func makeFolders() throws(GovernanceError) {
    do {
      try FileManager.default.createDirectory(atPath: path("artifacts"), withIntermediateDirectories: true)
    } catch { throw GovernanceError("\(folder): a folder could not be made") }
  }

  func read(_ name: String, byteCountMax: Int = .max) throws(GovernanceError) -> [UInt8] {
    let path = path(name)
    guard let size = size(name) else { throw GovernanceError("\(path): no such file") }
    guard size <= byteCountMax else {
      throw GovernanceError("\(path): \(size) bytes, expected at most \(byteCountMax)")
    }
    guard let data = FileManager.default.contents(atPath: path) else { throw GovernanceError("\(path): not readable") }
    return [UInt8](data)
  }

  func size(_ name: String) -> Int? {
    let attributes = try? FileManager.default.attributesOfItem(atPath: path(name))
    return (attributes?[.size] as? NSNumber)?.intValue
  }

  func names(in subfolder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: path(subfolder))) ?? []).sorted()
  }

  func remove(_ name: String) { try? FileManager.default.removeItem(atPath: path(name)) }

  /// The only writer's lock; what it gives back is for `unlock`.
  func lock() throws(GovernanceError) -> Int32 {
    let path = path("lock")
    // The path is a C string for the call only.
    let descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw GovernanceError("\(path): not writable") }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      close(descriptor)
      throw GovernanceError("\(path): another writer has the registry open")
    }
    return descriptor
  }

  /// Gives the lock back.
  func unlock(_ descriptor: Int32) { close(descriptor) }

  /// Puts `bytes` in the place of a file, or of none: a reader sees the old file or the new one, whole.
  mutating func replace(_ name: String, with bytes: [UInt8]) throws(GovernanceError) {
    let partial = "\(name).partial"
    try write(bytes, to: partial, flags: O_WRONLY | O_CREAT | O_TRUNC)
    try step()
    // Both paths are C strings for the call only.
    guard unsafe rename(path(partial), path(name)) == 0 else { throw refusal(name, "put in place") }
    try synchronizeFolder(of: name)
  }

  /// Adds `bytes` to the end of a file and waits until they are safe.
  mutating func append(_ bytes: [UInt8], to name: String) throws(GovernanceError) {
    let isNew = !exists(name)
    try write(bytes, to: name, flags: O_WRONLY | O_CREAT | O_APPEND)
    if isNew { try synchronizeFolder(of: name) }
  }

  /// Cuts a file to its first `byteCount` bytes.
  mutating func cut(_ name: String, to byteCount: Int) throws(GovernanceError) {
    try step()
    // The path is a C string for the call only.
    guard unsafe truncate(path(name), off_t(byteCount)) == 0 else { throw refusal(name, "cut") }
  }

  private mutating func write(_ bytes: [UInt8], to name: String, flags: Int32) throws(GovernanceError) {
    // The path is a C string for the call only.
    let descriptor = unsafe open(path(name), flags | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw refusal(name, "opened") }
    defer { close(descriptor) }
    stepCount += 1
    let stops = stepCount == stopsAtStep
    var offset = 0
    let end = stops ? bytes.count / 2 : bytes.count
    while offset < end {
      // In bounds: the pointer is to the array's bytes from `offset`, of which there are more than `end - offset`.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(descriptor, $0.baseAddress! + offset, end - offset)
      }
      guard count > 0 || errno == EINTR else { throw refusal(name, "written") }
      offset += max(0, count)
    }
    if stops { throw GovernanceError("stopped at step \(stepCount)") }
    try step()
    guard fsync(descriptor) == 0 else { throw refusal(name, "made safe") }
  }

  private mutating func synchronizeFolder(of name: String) throws(GovernanceError) {
    try step()
    let parent = name.contains("/") ? path(String(name.prefix { $0 != "/" })) : folder
    // The path is a C string for the call only.
    let descriptor = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw refusal(name, "made safe") }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw refusal(name, "made safe") }
  }

  private mutating func step() throws(GovernanceError) {
    stepCount += 1
    if stepCount == stopsAtStep { throw GovernanceError("stopped at step \(stepCount)") }
  }

  private func refusal(_ name: String, _ verb: String) -> GovernanceError {
    GovernanceError("\(path(name)): could not be \(verb)")
  }
}
