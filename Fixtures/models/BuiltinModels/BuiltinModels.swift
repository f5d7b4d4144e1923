internal import CBuiltinModels
public import ModelInference

/// The models the executables carry, for machines where nobody has brought one.
public enum BuiltinModels {
  /// The bytes of the fixture ensemble, `Fixtures/models/ensemble.martlet`.
  public static var ensembleBytes: [UInt8] {
    // In bounds: the length is that of the array behind the pointer, which lives as long as the program.
    unsafe Array(UnsafeBufferPointer(start: martlet_builtin_ensemble(), count: martlet_builtin_ensemble_length()))
  }

  // Verified once: the answer is the same every time.
  private static let loaded = Result { () throws(ArtifactError) in
    try ModelArtifact(bytes: ensembleBytes, name: "built-in ensemble.martlet")
  }

  /// The reference ensemble, verified: two XGBoost, two LightGBM, a CatBoost model and an LSTM, with XGBoost stacked on
  /// them.
  ///
  /// - Throws: `ArtifactError` where the program was built with a damaged file.
  public static func ensemble() throws(ArtifactError) -> ModelArtifact { try loaded.get() }
}
