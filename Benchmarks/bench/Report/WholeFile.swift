import Foundation

/// Files that are there as a whole or not at all.
enum WholeFile {
  /// Refuses a file that could not be written, before a long run and not after it.
  static func check(_ path: String, option: String) throws(UsageError) {
    let url = URL(fileURLWithPath: path)
    let folder = url.deletingLastPathComponent()
    func isFolder(_ url: URL) -> Bool {
      (try? url.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
    }
    guard !isFolder(url) else { throw UsageError("\(option): '\(path)' is a folder") }
    guard isFolder(folder) else { throw UsageError("\(option): there is no folder '\(folder.path)'") }
    guard FileManager.default.isWritableFile(atPath: folder.path) else {
      throw UsageError("\(option): '\(folder.path)' is not writable")
    }
  }

  /// Writes under a name of its own beside the file, then renames: a reader never sees half of it.
  static func write(_ text: String, to path: String) throws(UsageError) {
    do {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    } catch {
      throw UsageError("cannot write '\(path)': \(error.localizedDescription)")
    }
  }
}
