public import Foundation

/// The shared market data and golden numbers: beside the checkout, or where `MARTLET_SHARED` says.
public enum SharedData {
  /// The folder, whether it exists or not.
  public static let folder: URL = {
    let named = ProcessInfo.processInfo.environment["MARTLET_SHARED"] ?? "../shared"
    return URL(fileURLWithPath: named, isDirectory: true)
  }()

  /// The file at `path` below the folder, or nil where it is missing; a test then skips and says so.
  public static func file(_ path: String) -> URL? {
    let url = folder.appendingPathComponent(path)
    return FileManager.default.isReadableFile(atPath: url.path) ? url : nil
  }
}
