Merge Into CORE.SHIPMENT As Tgt
Using
(
	Select
		CT_OP,
		SHIPMENT_ID,
		CARRIER,
		WEIGHT_KG
	From
	(
		Select *, Row_Number() Over (Partition By SHIPMENT_ID Order By CT_TS Desc) As RN
		From LANDING.SHIPMENT_CT
	) X
	Where X.RN = 1
) As Src
On Tgt.SHIPMENT_ID = Src.SHIPMENT_ID
When Matched And Src.CT_OP = 'D' Then
	Delete
When Matched Then
	Update Set
		Tgt.CARRIER = Src.CARRIER,
		Tgt.WEIGHT_KG = Src.WEIGHT_KG,
		Tgt.DWH_UPDATED = Current_Timestamp()
When Not Matched And Src.CT_OP <> 'D' Then
	Insert (SHIPMENT_ID, CARRIER, WEIGHT_KG, DWH_UPDATED)
	Values (Src.SHIPMENT_ID, Src.CARRIER, Src.WEIGHT_KG, Current_Timestamp());
